//! The transaction in which a request is accepted.

use futures::try_join;
use serde_json::json;
use sever_domain::employment::EmploymentEventKind;
use sever_domain::request::RequestState;
use sever_domain::{ConnectionId, HoldReason, OptOutId, RequestId, Situation, SubjectId};
use sever_store::opt_out::{ONE_OPEN, UsableConnection, usable_connections};
use sever_store::request::{IDEMPOTENT, KnownRequest};
use sever_store::subject::LockedSubject;
use sever_store::{Store, StoreError, Tx, drift, request};
use sever_telemetry::catalogue;
use uuid::Uuid;

use crate::ask::{Ask, Kind};
use crate::asker::Asker;
use crate::correlate::{self, Found};
use crate::error::{AcceptError, FieldFault};
use crate::leaver_event::LeaverEvent;
use crate::opt_out_request::OptOutRequest;
use crate::remove::remove;
use crate::stay::stay;
use crate::write::{HoldTarget, Placed, Trail};

/// How often the transaction is tried when another one with the same key or subject was faster.
const TRIES: u32 = 5;

/// What has become of a request. It is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// The request.
    pub request: RequestId,
    /// The opt-out to which it belongs, if it belongs to one.
    pub opt_out: Option<OptOutId>,
    /// Whom it means, once that is known.
    pub subject: Option<SubjectId>,
    /// Where it stands.
    pub state: RequestState,
    /// Whether it is new; else this is the answer that its first coming got, as things stand now.
    pub created: bool,
}

/// Accepts an employment event for the source that sent it.
///
/// # Errors
/// [`AcceptError::KeyReused`]; [`AcceptError::Field`] for an effective time more than 400 days ahead, or an
/// asker without a source; [`AcceptError::Store`], after which nothing is known to be stored: send it again.
pub async fn accept_leaver_event(
    store: &Store,
    asker: &Asker,
    event: &LeaverEvent,
) -> Result<Accepted, AcceptError> {
    record(store, asker, Incoming::Event(event)).await
}

/// Accepts a request for an opt-out, under the key that its sender chose (1 to 512 characters).
///
/// # Errors
/// As [`accept_leaver_event`]; [`AcceptError::UnknownPerson`], [`AcceptError::UnknownIntegration`],
/// [`AcceptError::NoConnection`], [`AcceptError::NotBound`], and [`AcceptError::Field`] for a connection that does not
/// exist.
pub async fn accept_opt_out(
    store: &Store,
    asker: &Asker,
    key: &str,
    asked: &OptOutRequest,
) -> Result<Accepted, AcceptError> {
    record(
        store,
        asker,
        Incoming::OptOut {
            key,
            asked,
            repair: None,
        },
    )
    .await
}

/// Accepts an opt-out that takes away again what a finding shows at a connection, if the subject stands so there that it may:
/// that is asked once more under the subject's lock, so that a rehire or a rejected removal is never overlooked.
///
/// # Errors
/// As [`accept_opt_out`]; [`AcceptError::NotJustified`].
pub async fn accept_repair(
    store: &Store,
    asker: &Asker,
    key: &str,
    asked: &OptOutRequest,
    repair: Repair,
) -> Result<Accepted, AcceptError> {
    let repair = Some(repair);
    record(store, asker, Incoming::OptOut { key, asked, repair }).await
}

/// What a repair is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repair {
    /// What the finding says.
    pub situation: Situation,
    /// Where.
    pub connection: ConnectionId,
    /// Whether a person asked for this one.
    pub by_hand: bool,
}

#[derive(Clone, Copy)]
enum Incoming<'a> {
    Event(&'a LeaverEvent),
    OptOut {
        key: &'a str,
        asked: &'a OptOutRequest,
        repair: Option<Repair>,
    },
}

impl Incoming<'_> {
    fn key_and_digest(&self) -> (&str, [u8; 32]) {
        match self {
            Self::Event(event) => (&event.key, event.digest),
            Self::OptOut { key, asked, .. } => (key, asked.digest),
        }
    }
}

async fn record(
    store: &Store,
    asker: &Asker,
    incoming: Incoming<'_>,
) -> Result<Accepted, AcceptError> {
    let mut tries = 1;
    loop {
        match try_record(store, asker, incoming).await {
            Err(AcceptError::Store(error)) if tries < TRIES && lost_a_race(&error) => tries += 1,
            outcome => {
                if let Ok(accepted) = &outcome {
                    tell(asker, accepted);
                }
                return outcome;
            }
        }
    }
}

/// Another transaction with the same key, or for the same subject, committed first, and this one sees it now; or the
/// two had locked each other out.
fn lost_a_race(error: &StoreError) -> bool {
    let by_constraint = matches!(
        error.constraint(),
        Some(IDEMPOTENT | ONE_OPEN | "job_one_open")
    );
    by_constraint || error.is_deadlock() || error.is_of_failed_transaction()
}

async fn try_record(
    store: &Store,
    asker: &Asker,
    incoming: Incoming<'_>,
) -> Result<Accepted, AcceptError> {
    let mut client = store.client("accepting a request").await?;
    let tx = client.begin().await?;
    let found = match incoming {
        Incoming::Event(event) => find_of_event(&tx, asker, event).await,
        Incoming::OptOut { asked, .. } => correlate::by_reference(&tx, &asked.whom)
            .await
            .map(Found::Subject),
    };
    let (key, digest) = incoming.key_and_digest();
    // Asked under the subject's lock, so that a twin that was faster is seen.
    let (known, connections) = try_join!(
        request::find_by_key(&tx, &asker.name, key),
        usable_connections(&tx)
    )?;
    if let Some(known) = known {
        return same_answer(&known, digest);
    }
    let found = found?;
    if let (Incoming::OptOut { asked, repair, .. }, Found::Subject(subject)) = (incoming, &found) {
        justified(&tx, asked, repair, subject).await?;
    }
    let now = match &found {
        Found::Subject(subject) => subject.now,
        Found::Nobody | Found::Several => tx.now().await?,
    };
    let ask = match incoming {
        Incoming::Event(event) => Ask::of_event(asker, event, now),
        Incoming::OptOut { key, asked, .. } => {
            let scope = scope_ids(asked.scope.as_deref(), &connections)?;
            Ask::of_opt_out(asker, key, asked, scope, now)
        }
    };
    let placed = match found {
        Found::Subject(subject) => place(&tx, &ask, &subject, &connections).await?,
        Found::Nobody => wait(&tx, Trail::new(&ask, None, now)).await?,
        Found::Several => hold_ambiguous(&tx, &ask, Trail::new(&ask, None, now)).await?,
    };
    sever_crash_point::hit("accept.before_commit");
    tx.commit().await?;
    sever_crash_point::hit("accept.after_commit");
    Ok(accepted(ask.request.id, placed, true))
}

/// A repair goes no further than the removal that it restores. The caller holds the subject's row.
async fn justified(
    tx: &Tx<'_>,
    asked: &OptOutRequest,
    repair: Option<Repair>,
    subject: &LockedSubject,
) -> Result<(), AcceptError> {
    let Some(repair) = repair else {
        return Ok(());
    };
    let standing = drift::standing(tx, subject.id, repair.connection).await?;
    let intent = standing
        .repair(repair.situation, repair.by_hand)
        .map_err(AcceptError::NotJustified)?;
    if asked.intent > intent {
        return Err(FieldFault::new("/intent", "goes further than what was removed").into());
    }
    Ok(())
}

async fn find_of_event(
    tx: &Tx<'_>,
    asker: &Asker,
    event: &LeaverEvent,
) -> Result<Found, AcceptError> {
    let source = asker
        .source
        .ok_or_else(|| FieldFault::new("", "was sent by somebody who speaks for no source"))?;
    let found = correlate::by_event(tx, source, &event.external_id, event.email.as_deref()).await?;
    Ok(found)
}

/// Does for a known subject what the request asks. The caller holds the subject's row.
pub(crate) async fn place(
    tx: &Tx<'_>,
    ask: &Ask,
    subject: &LockedSubject,
    connections: &[UsableConnection],
) -> Result<Placed, AcceptError> {
    match (ask.kind, ask.employment_event()) {
        (Kind::Employment(kind), Some(event)) if kind != EmploymentEventKind::Leaver => {
            Ok(stay(tx, ask, &event, subject).await?)
        }
        (Kind::Employment(_) | Kind::OptOut, _) => remove(tx, ask, subject, connections).await,
    }
}

pub(crate) fn accepted(request: RequestId, placed: Placed, created: bool) -> Accepted {
    Accepted {
        request,
        opt_out: placed.opt_out,
        subject: placed.subject,
        state: placed.state,
        created,
    }
}

fn same_answer(known: &KnownRequest, digest: [u8; 32]) -> Result<Accepted, AcceptError> {
    let placed = Placed {
        state: known.state,
        subject: known.subject,
        opt_out: known.opt_out,
    };
    if known.body_digest == digest {
        return Ok(accepted(known.id, placed, false));
    }
    let accepted = known.body_digest.as_slice().try_into().unwrap_or_default();
    Err(AcceptError::KeyReused {
        accepted,
        offered: digest,
    })
}

/// Nobody known has the key: kept, and tried again.
async fn wait(tx: &Tx<'_>, trail: Trail<'_>) -> Result<Placed, AcceptError> {
    let placed = Placed {
        state: RequestState::Unmatched,
        subject: None,
        opt_out: None,
    };
    Ok(trail.finish(tx, placed).await?)
}

/// Several people could be meant: a person must say who.
async fn hold_ambiguous(
    tx: &Tx<'_>,
    ask: &Ask,
    mut trail: Trail<'_>,
) -> Result<Placed, AcceptError> {
    let target = HoldTarget::Request(ask.request.id.0);
    let detail = json!({"source": ask.request.source, "matched_on": "email"});
    trail
        .hold(tx, target, HoldReason::AmbiguousIdentity, detail)
        .await?;
    let placed = Placed {
        state: RequestState::Held,
        subject: None,
        opt_out: None,
    };
    Ok(trail.finish(tx, placed).await?)
}

fn scope_ids(
    names: Option<&[String]>,
    connections: &[UsableConnection],
) -> Result<Option<Vec<Uuid>>, AcceptError> {
    let Some(names) = names else {
        return Ok(None);
    };
    let id = |name: &String| {
        let found = connections
            .iter()
            .find(|connection| connection.name == *name);
        let unknown = || {
            FieldFault::new(
                "/scope",
                format!("names '{name}', which is no connection, or a closed one"),
            )
        };
        found.map(|connection| connection.id.0).ok_or_else(unknown)
    };
    Ok(Some(names.iter().map(id).collect::<Result<_, _>>()?))
}

fn tell(asker: &Asker, accepted: &Accepted) {
    let opt_out = accepted.opt_out.map(|id| id.to_string());
    tracing::info!(
        request = %accepted.request, opt_out, state = %accepted.state, created = accepted.created,
        asked_by = asker.name, "a request was accepted"
    );
    if accepted.created {
        let channel = asker.channel.as_str();
        metrics::counter!(catalogue::REQUESTS_ACCEPTED.name, "source_kind" => channel).increment(1);
    }
}
