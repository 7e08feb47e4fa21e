//! `sever people`: the directory.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use sever_api::person_view::{ImportView, PersonPage, PersonView, RejectedRow};
use sever_domain::employment::EmploymentState;
use uuid::Uuid;

use crate::client::Client;
use crate::exit::{Ended, Failure, Reason};
use crate::output::{self, Format, pairs, table};
use crate::words::{one_of, time};

/// What the console takes at once.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

#[derive(Debug, Subcommand)]
pub(crate) enum PeopleCommand {
    /// Import people from a CSV file. Bad rows are named and set aside, the others are imported; exit code 1 if there are any.
    ///
    /// Columns: source, external_id, given_name, family_name, emails, employment_state (active, on_leave, left), provider_ids.
    /// Several e-mails, and several provider ids (connection:id), are separated by ';'.
    Import {
        /// The file; '-' for standard input. At most 64 MiB.
        file: PathBuf,
    },
    /// Show one person with the accounts that are or could be theirs.
    Show {
        /// Sever's id, or source:external_id.
        person: String,
    },
    /// List people by id.
    List {
        /// Only in this employment state.
        #[arg(long, value_name = "STATE", value_parser = one_of::<EmploymentState>(EmploymentState::ALL.iter().map(|state| state.as_str())))]
        employment_state: Option<EmploymentState>,
        /// Where the page before ended.
        #[arg(long, value_name = "ID")]
        after: Option<Uuid>,
        /// People at most, 1 to 500.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
}

/// Runs the command.
pub(super) async fn run(command: PeopleCommand, format: Format) -> Ended {
    let client = Client::from_environment()?;
    match command {
        PeopleCommand::Import { file } => return import(&client, &file, format).await,
        PeopleCommand::Show { person } => {
            let person: PersonView = client.get(&["people", &person], &[]).await?;
            format.print(&person, shown)?;
        }
        PeopleCommand::List {
            employment_state,
            after,
            limit,
        } => {
            let mut query = vec![("limit", limit.to_string())];
            query.extend(employment_state.map(|state| ("employment_state", state.to_string())));
            query.extend(after.map(|id| ("after", id.to_string())));
            let page: PersonPage = client.get(&["people"], &query).await?;
            format.print(&page, listed)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn import(client: &Client, file: &Path, format: Format) -> Ended {
    let body = read(file)?;
    let report: ImportView = client
        .post_bytes(&["people", "import"], "text/csv", body)
        .await?;
    format.print(&report, imported)?;
    if report.rejected_rows == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    if output::is_watched() {
        output::note(
            "correct the rows that were set aside and import the file again; what is in already stays as it is",
        );
    }
    Ok(ExitCode::from(Reason::Problem.code()))
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |error| Failure::usage(format!("{} cannot be read: {error}", file.display()));
    let mut body = Vec::new();
    let limit = FILE_BYTES_MAX + 1;
    if file == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_end(&mut body)
    } else {
        let opened = std::fs::File::open(file).map_err(unreadable)?;
        opened.take(limit).read_to_end(&mut body)
    }
    .map_err(unreadable)?;
    if body.len() as u64 > FILE_BYTES_MAX {
        return Err(Failure::usage(format!(
            "{} is over 64 MiB: import it in parts",
            file.display()
        )));
    }
    Ok(body)
}

fn imported(report: &ImportView) -> String {
    let counts = pairs(&[
        ("rows", Some(report.rows.to_string())),
        ("created", Some(report.created.to_string())),
        ("changed", Some(report.changed.to_string())),
        ("unchanged", Some(report.unchanged.to_string())),
        ("candidate accounts", Some(report.candidates.to_string())),
        (
            "untrusted accounts",
            (report.untrusted_accounts > 0).then(|| report.untrusted_accounts.to_string()),
        ),
        ("requests matched", Some(report.matched.to_string())),
        ("set aside", Some(report.rejected_rows.to_string())),
    ]);
    if report.rejected.is_empty() {
        return counts;
    }
    let row =
        |row: &RejectedRow| vec![row.line.to_string(), row.field.clone(), row.problem.clone()];
    let rows = report.rejected.iter().map(row).collect();
    format!(
        "{counts}\n\n{}",
        table(&["line", "column", "problem"], rows, "")
    )
}

fn shown(person: &PersonView) -> String {
    let name: Vec<&str> = [&person.given_name, &person.family_name]
        .into_iter()
        .filter_map(|part| part.as_deref())
        .collect();
    let head = pairs(&[
        ("id", Some(person.id.to_string())),
        ("name", (!name.is_empty()).then(|| name.join(" "))),
        (
            "emails",
            (!person.emails.is_empty()).then(|| person.emails.join(" ")),
        ),
        ("employment", Some(person.employment_state.to_string())),
        ("keys", Some(person.keys.join(" "))),
        ("updated", Some(time(person.updated_at))),
    ]);
    let row = |account: &sever_api::person_view::AccountView| {
        vec![
            account.connection.clone(),
            account.provider_id.clone(),
            account.state.to_string(),
            account.basis.to_string(),
        ]
    };
    let rows = person.accounts.iter().map(row).collect();
    let accounts = table(
        &["connection", "account", "state", "basis"],
        rows,
        "no accounts are known",
    );
    format!("{head}\n\n{accounts}")
}

fn listed(page: &PersonPage) -> String {
    let row = |person: &sever_api::person_view::PersonLine| {
        vec![
            person.id.to_string(),
            person.given_name.clone().unwrap_or_default(),
            person.family_name.clone().unwrap_or_default(),
            person.employment_state.to_string(),
            person.keys.join(" "),
        ]
    };
    let head = ["id", "given name", "family name", "employment", "keys"];
    let mut text = table(&head, page.items.iter().map(row).collect(), "nobody");
    if let Some(next) = page.next {
        text.push_str(&format!("\n\nthere are more: --after {next}"));
    }
    text
}
