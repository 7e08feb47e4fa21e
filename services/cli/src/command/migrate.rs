//! `sever migrate`.

use std::process::ExitCode;

use serde_json::json;
use sever_config::{
    ExposeSecret as _, FromEnvironment as _, OwnerDatabaseConfig, ProcessEnvironment,
};

use crate::database;
use crate::exit::Ended;
use crate::output::Format;

/// Brings the schema to this program's version. Running it twice changes nothing.
pub(super) async fn run(format: Format) -> Ended {
    let owner = OwnerDatabaseConfig::from_environment(&ProcessEnvironment)?;
    let report = sever_store::migrate(owner.url.expose_secret())
        .await
        .map_err(|error| database::failure(&error))?;
    let value = json!({"applied": report.applied, "version": report.version});
    format.print(&value, |_| {
        let applied: String = report
            .applied
            .iter()
            .map(|file| format!("applied {file}\n"))
            .collect();
        format!("{applied}the schema is at version {}", report.version)
    })?;
    Ok(ExitCode::SUCCESS)
}
