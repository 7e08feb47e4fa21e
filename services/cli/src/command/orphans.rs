//! `sever orphans`: what nobody is known to own.

use std::process::ExitCode;

use sever_api::drift_view::FindingList;

use super::drift::listed;
use crate::client::Client;
use crate::exit::Ended;
use crate::output::Format;

/// Runs the command.
pub(super) async fn run(format: Format) -> Ended {
    let client = Client::from_environment()?;
    let list: FindingList = client
        .get(&["findings"], &[("unowned", "true".to_owned())])
        .await?;
    format.print(&list, listed)?;
    Ok(ExitCode::SUCCESS)
}
