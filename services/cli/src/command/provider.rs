//! `sever provider`: what the workers of a provider can do.

use std::process::ExitCode;

use clap::Subcommand;
use sever_api::capability_view::{
    CapabilityList, CapabilityView, RestoresView, RevokesView, SeesView,
};
use sever_domain::{Provider, SubjectKind};

use crate::client::Client;
use crate::exit::Ended;
use crate::output::{Format, table};
use crate::words::one_of;

#[derive(Debug, Subcommand)]
pub(crate) enum ProviderCommand {
    /// Show what a provider's workers can see, revoke, prove and restore, and what only a person can do.
    Capabilities {
        /// The provider.
        #[arg(value_parser = one_of::<Provider>(Provider::ALL.iter().map(|provider| provider.as_str())))]
        provider: Provider,
    },
}

/// Runs the command.
pub(super) async fn run(command: ProviderCommand, format: Format) -> Ended {
    let ProviderCommand::Capabilities { provider } = command;
    let client = Client::from_environment()?;
    let path = ["providers", provider.as_str(), "capabilities"];
    let list: CapabilityList = client.get(&path, &[]).await?;
    format.print(&list, shown)?;
    Ok(ExitCode::SUCCESS)
}

fn shown(list: &CapabilityList) -> String {
    let part = |(kind, title, none): (SubjectKind, &str, &str)| {
        let of_kind = list.items.iter().filter(|item| item.subject_kind == kind);
        let head = ["family", "sees", "revokes", "evidence", "restores", "note"];
        format!(
            "{title}:\n{}",
            table(&head, of_kind.map(row).collect(), none)
        )
    };
    let parts = [
        (SubjectKind::Person, "people", "nothing is declared"),
        (
            SubjectKind::Integration,
            "integrations",
            "the provider knows no integrations",
        ),
    ];
    parts.map(part).join("\n\n")
}

fn row(item: &CapabilityView) -> Vec<String> {
    let capability = &item.capability;
    vec![
        capability.family.to_string(),
        sees(capability.sees).to_owned(),
        revokes(&capability.revokes),
        capability.grade.to_string(),
        restores(&capability.restores),
        capability.note.clone(),
    ]
}

const fn sees(sees: SeesView) -> &'static str {
    match sees {
        SeesView::Listed => "listed",
        SeesView::WhereOffered => "where offered",
        SeesView::Never => "never",
    }
}

fn revokes(revokes: &RevokesView) -> String {
    match revokes {
        RevokesView::Call(action) => action.clone(),
        RevokesView::WithRule(rule) => format!("rule {rule}"),
        RevokesView::Person => "a person".to_owned(),
        RevokesView::Never => "never".to_owned(),
    }
}

fn restores(restores: &RestoresView) -> String {
    match restores {
        RestoresView::Call(action) => action.clone(),
        RestoresView::CallForDays(action, days) => format!("{action}, {days} days"),
        RestoresView::Never => "never".to_owned(),
    }
}
