//! `sever integration`: third-party applications that were let into the organisation.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;
use sever_api::integration_view::{
    AppliedIntegration, AppliedIntegrations, IntegrationLine, IntegrationList, IntegrationView,
    IntegrationsBody,
};
use sever_api::person_view::AccountView;

use crate::client::Client;
use crate::exit::Ended;
use crate::output::{Format, pairs, table};
use crate::toml_file;
use crate::words::{or_dash, time, time_or_none};

#[derive(Debug, Subcommand)]
pub(crate) enum IntegrationCommand {
    /// Make integrations what a file says, all or none. Applying it again changes nothing.
    ///
    /// The file is TOML, a table 'integration' for each: name, vendor, owner (the role that answers for it), and a table
    /// provider_ids with its immutable id, or a list of ids, for each connection that knows it. A new id is a candidate until a
    /// worker has read it; an id that is not named any more is refuted, and nothing is done there from then on. Integrations that
    /// the file does not name stay as they are.
    Apply {
        /// The file.
        file: PathBuf,
    },
    /// List the integrations by name.
    List,
    /// Show one integration with the ids by which connections know it.
    Show {
        /// Its name, or Sever's id.
        name: String,
    },
}

/// Runs the command.
pub(super) async fn run(command: IntegrationCommand, format: Format) -> Ended {
    match command {
        IntegrationCommand::Apply { file } => {
            let body: IntegrationsBody = toml_file::read(&file)?;
            let client = Client::from_environment()?;
            let applied: AppliedIntegrations = client
                .send_json(Method::PUT, &["integrations"], &body)
                .await
                .map_err(|failure| failure.in_file(&file))?;
            format.print(&applied, shown_applied)?;
        }
        IntegrationCommand::List => {
            let client = Client::from_environment()?;
            let list: IntegrationList = client.get(&["integrations"], &[]).await?;
            format.print(&list, listed)?;
        }
        IntegrationCommand::Show { name } => {
            let client = Client::from_environment()?;
            let integration: IntegrationView = client.get(&["integrations", &name], &[]).await?;
            format.print(&integration, shown)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn shown_applied(applied: &AppliedIntegrations) -> String {
    let row = |one: &AppliedIntegration| vec![one.name.clone(), one.change.clone()];
    table(
        &["integration", "change"],
        applied.applied.iter().map(row).collect(),
        "nothing to apply",
    )
}

fn listed(list: &IntegrationList) -> String {
    let row = |line: &IntegrationLine| {
        vec![
            line.name.clone(),
            line.vendor.clone(),
            line.owner.clone(),
            or_dash((!line.connections.is_empty()).then(|| line.connections.join(" "))),
            line.id.to_string(),
        ]
    };
    table(
        &["name", "vendor", "owner", "connections", "id"],
        list.items.iter().map(row).collect(),
        "no integrations",
    )
}

fn shown(integration: &IntegrationView) -> String {
    let line = &integration.line;
    let head = pairs(&[
        ("name", Some(line.name.clone())),
        ("id", Some(line.id.to_string())),
        (
            "vendor",
            (!line.vendor.is_empty()).then(|| line.vendor.clone()),
        ),
        ("owner", Some(line.owner.clone())),
        ("created", Some(time(integration.created_at))),
        ("updated", Some(time(line.updated_at))),
    ]);
    let row = |application: &AccountView| {
        vec![
            application.connection.clone(),
            application.provider.to_string(),
            application.provider_id.clone(),
            application.state.to_string(),
            or_dash(time_or_none(application.confirmed_at)),
        ]
    };
    let applications = table(
        &[
            "connection",
            "provider",
            "application",
            "state",
            "confirmed",
        ],
        integration.applications.iter().map(row).collect(),
        "no connection knows it: name its ids under 'provider_ids' and apply it",
    );
    format!("{head}\n\n{applications}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
[[integration]]
name = "crm"
vendor = "Example CRM Inc."
owner = "sales-systems"

[integration.provider_ids]
okta-main = "0oa1"
okta-lab = ["0oa2", "0oa3"]
"#;

    #[test]
    fn a_file_names_one_id_or_several() {
        let read: IntegrationsBody = toml_file::parse(FILE).unwrap();
        let ids = &read.integration[0].provider_ids;
        let all: Vec<_> = ids.values().flat_map(|ids| ids.all()).collect();
        assert_eq!(all, ["0oa2", "0oa3", "0oa1"]);
    }

    #[test]
    fn a_wrong_key_is_named_with_its_line() {
        for (from, to, part) in [
            ("vendor", "vender", "unknown field `vender`"),
            ("owner = \"sales-systems\"\n", "", "missing field `owner`"),
            (
                "okta-main = \"0oa1\"",
                "okta-main = 7",
                "an id, or a list of ids",
            ),
        ] {
            let read = toml_file::parse::<IntegrationsBody>(&FILE.replacen(from, to, 1));
            let error = read.unwrap_err();
            assert!(error.contains(part) && error.contains("line "), "{error}");
        }
    }
}
