//! `sever database-restored`: after PostgreSQL was brought back to an earlier point, before any service starts.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use sever_config::{
    ExposeSecret as _, FromEnvironment as _, OwnerDatabaseConfig, ProcessEnvironment,
};
use sever_store::StoreError;
use sever_store::incarnation::{self, KnownSource, LostRequest, Renewed};

use crate::database;
use crate::exit::{Ended, Failure, Reason};
use crate::output::{Format, table};

/// Who did it, in the audit event.
const ACTOR: &str = "cli:database-restored";

/// What was done, and where the lost history can still be read.
#[derive(Debug, Args)]
pub(crate) struct DatabaseRestoredArguments {
    /// Why the database was brought back; not personal data.
    #[arg(long)]
    reason: String,
    /// A file with the URL of the database as it was before, where it can still be read: then every lost request is
    /// named by its key.
    #[arg(long, value_name = "FILE")]
    old_database_url_file: Option<PathBuf>,
}

/// Writes a new incarnation, so that no process of the lost history writes here, and names what is lost and how each
/// source sends it again. Running it twice does no harm.
pub(super) async fn run(arguments: &DatabaseRestoredArguments, format: Format) -> Ended {
    let owner = OwnerDatabaseConfig::from_environment(&ProcessEnvironment)?;
    let failed = |error: StoreError| database::failure(&error);
    let store = database::open_url(owner.url.expose_secret()).await?;
    let mut client = store
        .client("noting that the database was restored")
        .await
        .map_err(failed)?;
    let tx = client.begin().await.map_err(failed)?;
    let renewed = incarnation::renew(&tx, ACTOR, &arguments.reason)
        .await
        .map_err(failed)?;
    tx.commit().await.map_err(failed)?;
    let sources = incarnation::known_sources(&client).await.map_err(failed)?;
    let lost = match (&arguments.old_database_url_file, renewed.newest) {
        (Some(file), Some(newest)) => {
            let url = std::fs::read_to_string(file).map_err(|error| {
                Failure::new(
                    Reason::Usage,
                    format!("reading {}: {error}", file.display()),
                )
            })?;
            let old = database::open_url(url.trim()).await?;
            let old = old
                .client("reading the lost history")
                .await
                .map_err(failed)?;
            let lost = incarnation::lost_requests(&old, &client, newest).await;
            Some(lost.map_err(failed)?)
        }
        _ => None,
    };
    let value = json!({
        "before": renewed.before, "incarnation": renewed.incarnation,
        "newest": renewed.newest.map(|at| at.to_string()), "processes_stopped": renewed.stopped,
        "sources": sources.iter().map(|source| described(source, &renewed)).collect::<Vec<_>>(),
        "lost": lost.as_ref().map(|lost| lost.iter().map(named).collect::<Vec<_>>()),
    });
    format.print(&value, |_| shown(&renewed, &sources, lost.as_deref()))?;
    Ok(ExitCode::SUCCESS)
}

fn described(source: &KnownSource, renewed: &Renewed) -> Value {
    json!({
        "asked_by": source.asked_by, "channel": source.channel, "last_at": source.last_at.to_string(),
        "last_key": source.last_key, "requests": source.requests, "send_again": send_again(source, renewed),
    })
}

fn named(lost: &LostRequest) -> Value {
    json!({
        "asked_by": lost.asked_by, "channel": lost.channel, "key": lost.idem_key, "received_at": lost.received_at.to_string(),
    })
}

/// How this source sends again what is lost. What is known already is recognised by its key.
fn send_again(source: &KnownSource, renewed: &Renewed) -> String {
    let since = renewed.newest.unwrap_or(source.last_at);
    match source.channel.as_str() {
        "amqp" => format!(
            "publish every event since {since} to sever.in again, with the same CloudEvents source and id"
        ),
        "http" => format!(
            "send every request since {since} again, with the same Idempotency-Key or CloudEvents source and id"
        ),
        _ => format!("whoever asked at the console since {since} asks again"),
    }
}

fn shown(renewed: &Renewed, sources: &[KnownSource], lost: Option<&[LostRequest]>) -> String {
    let newest = renewed.newest.map_or("nothing".to_owned(), |at| {
        format!("nothing later than {at}")
    });
    let mut text = format!(
        "the incarnation is {}; processes of the one before are refused and end by themselves\nthis database knows {newest}; what was accepted later is lost:\n\n",
        renewed.incarnation
    );
    let row = |source: &KnownSource| {
        vec![
            source.asked_by.clone(),
            source.channel.clone(),
            source.last_key.clone(),
            send_again(source, renewed),
        ]
    };
    text.push_str(&table(
        &["asked by", "way", "last known key", "what its owner does"],
        sources.iter().map(row).collect(),
        "nobody has asked for anything so far",
    ));
    if let Some(lost) = lost {
        let row = |lost: &LostRequest| {
            vec![
                lost.asked_by.clone(),
                lost.channel.clone(),
                lost.idem_key.clone(),
                lost.received_at.to_string(),
            ]
        };
        text.push_str("\n\n");
        text.push_str(&table(
            &["lost, asked by", "way", "key", "accepted"],
            lost.iter().map(row).collect(),
            "no request of the old database is missing here",
        ));
    }
    text
}
