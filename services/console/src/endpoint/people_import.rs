//! `POST /v1/people/import`: a directory as CSV.
//!
//! The body is read as it comes: a blocking task parses it, and full batches are committed while more of it arrives, so that
//! memory does not grow with the directory. Bad rows are set aside and named; good ones are imported. Sending a file again is
//! harmless: only what differs is changed.

use std::io::{self, Read};

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use futures::StreamExt as _;
use serde_json::json;
use sever_accept::retry_unmatched;
use sever_api::person_view::{ImportView, RejectedRow};
use sever_api::{Authenticated, Problem, ProblemBody, ProblemKind, Scope};
use sever_audit::{AuditEvent, AuditKind};
use sever_store::person_import::{ImportReport, ImportedPerson, import};
use sever_store::{Store, audit, census, connection, source};
use tokio::sync::mpsc;

use crate::console::Console;
use crate::people_csv::{self, Names, Row};

/// People of one transaction: few enough that nobody waits long for its locks.
const BATCH: usize = 2_000;

/// Rows that may wait between the parser and the database.
const ROWS_AHEAD: usize = 4_096;

/// Pieces of the body that may wait before the parser.
const PIECES_AHEAD: usize = 16;

/// Bad rows that are described; the others are counted.
const DESCRIBED_MAX: usize = 1_000;

/// The most sources that a file may refer to.
const SOURCES_MAX: i64 = 10_000;

/// Imports people. Bad rows are set aside and described by line and column; every other row is imported.
#[utoipa::path(
    post, path = "/v1/people/import", tag = "people", security(("bearer" = ["people:write"])),
    request_body(content = String, content_type = "text/csv", description = "At most 64 MiB of UTF-8. Header: source,external_id,given_name,family_name,emails,employment_state,provider_ids; several e-mails or provider ids (connection:id) are separated by ';'."),
    responses(
        (status = 200, body = ImportView),
        (status = 400, description = "The header, or the body as a whole, cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body is over 64 MiB.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "The body is no text/csv.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn import_people(
    who: Authenticated,
    State(console): State<Console>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<ImportView>, Problem> {
    who.require(Scope::PeopleWrite)?;
    require_csv(&headers)?;
    let names = names(&console.store).await?;
    let (pieces, input) = mpsc::channel(PIECES_AHEAD);
    let (rows, mut parsed) = mpsc::channel::<Row>(ROWS_AHEAD);
    let parser = tokio::task::spawn_blocking(move || {
        people_csv::read(Pieces::new(input), &names, |row| {
            rows.blocking_send(row).is_ok()
        })
    });
    let feed = feed(body, pieces, console.import_limits.body_max_bytes);
    let store = store_rows(&console.store, &mut parsed, who.actor());
    let (fed, stored) = tokio::join!(feed, store);
    // A failed store drops the rows' receiver, which ends the parser.
    drop(parsed);
    let parsed = parser
        .await
        .expect("the parser of a CSV body does not panic");
    let mut view = stored?;
    fed?;
    parsed?;
    census::refresh(&console.store).await?;
    let retried = retry_unmatched(&console.store, &who.actor()).await?;
    view.matched = retried.matched as u64;
    Ok(Json(view))
}

fn require_csv(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("text/csv") {
        return Ok(());
    }
    Err(Problem::new(
        ProblemKind::UnsupportedMediaType,
        "send 'Content-Type: text/csv'",
    )
    .field("Content-Type"))
}

async fn names(store: &Store) -> Result<Names, Problem> {
    let client = store.client("reading the names of sources").await?;
    let sources = source::list(&client, SOURCES_MAX).await?;
    let connections = connection::list(&client).await?;
    Ok(Names {
        sources: sources
            .into_iter()
            .map(|source| (source.name, source.id))
            .collect(),
        connections: connections
            .into_iter()
            .map(|row| (row.spec.name, row.id))
            .collect(),
    })
}

/// Hands the body on piece by piece, at most `bytes_max`. Ends early when the parser has ended.
async fn feed(
    body: Body,
    pieces: mpsc::Sender<io::Result<Bytes>>,
    bytes_max: usize,
) -> Result<(), Problem> {
    let mut stream = body.into_data_stream();
    let mut total = 0_usize;
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(io::Error::other);
        total += piece.as_ref().map_or(0, Bytes::len);
        if total > bytes_max {
            // The parser must not take what came so far for the whole file.
            let cut = io::Error::other("the body is too large");
            let _ = pieces.send(Err(cut)).await;
            let detail = format!(
                "the body is over {bytes_max} bytes; rows before that may have been imported"
            );
            return Err(Problem::new(ProblemKind::BodyTooLarge, detail));
        }
        let broken = piece.is_err();
        if pieces.send(piece).await.is_err() || broken {
            break;
        }
    }
    Ok(())
}

/// Collects rows into batches and commits each.
async fn store_rows(
    store: &Store,
    rows: &mut mpsc::Receiver<Row>,
    actor: String,
) -> Result<ImportView, Problem> {
    let mut view = ImportView::default();
    let mut batch = Vec::with_capacity(BATCH);
    while let Some(row) = rows.recv().await {
        view.rows += 1;
        match row {
            Ok(person) => batch.push(person),
            Err(rejected) => set_aside(&mut view, rejected),
        }
        if batch.len() == BATCH {
            add(&mut view, commit(store, &batch, &actor).await?);
            batch.clear();
        }
    }
    if !batch.is_empty() {
        add(&mut view, commit(store, &batch, &actor).await?);
    }
    Ok(view)
}

fn set_aside(view: &mut ImportView, rejected: RejectedRow) {
    view.rejected_rows += 1;
    if view.rejected.len() < DESCRIBED_MAX {
        view.rejected.push(rejected);
    }
}

async fn commit(
    store: &Store,
    batch: &[ImportedPerson],
    actor: &str,
) -> Result<ImportReport, Problem> {
    let mut client = store.client("importing people").await?;
    let tx = client.begin().await?;
    let report = import(&tx, batch).await?;
    if report.created + report.changed > 0 {
        let data = json!({
            "created": report.created, "changed": report.changed, "unchanged": report.unchanged,
            "candidates": report.candidates, "untrusted_accounts": report.untrusted_accounts,
        });
        let event = AuditEvent::new(AuditKind::DirectoryImported, tx.now().await?, actor, data);
        audit::insert(&tx, &[event]).await?;
    }
    tx.commit().await?;
    Ok(report)
}

fn add(view: &mut ImportView, report: ImportReport) {
    view.created += report.created as u64;
    view.changed += report.changed as u64;
    view.unchanged += report.unchanged as u64;
    view.candidates += report.candidates as u64;
    view.untrusted_accounts += report.untrusted_accounts as u64;
}

/// A channel of bytes as a reader, for the blocking parser.
struct Pieces {
    input: mpsc::Receiver<io::Result<Bytes>>,
    current: Bytes,
}

impl Pieces {
    fn new(input: mpsc::Receiver<io::Result<Bytes>>) -> Self {
        Self {
            input,
            current: Bytes::new(),
        }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.input.blocking_recv() {
                Some(piece) => self.current = piece?,
                None => return Ok(0),
            }
        }
        let length = self.current.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.current.split_to(length));
        Ok(length)
    }
}
