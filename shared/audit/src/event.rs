//! One audit event and its canonical form.

use std::io;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use sever_domain::{JobId, OptOutId, SubjectId};
use sha2::{Digest, Sha256};
use uuid::Uuid;

macro_rules! kinds {
    ($($(#[$meta:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        /// What an audit event reports.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum AuditKind { $($(#[$meta])* $variant),+ }

        impl AuditKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stored word, `noun.participle`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

kinds! {
    /// The database was brought back to an earlier point.
    DatabaseRestored = "database.restored",
    /// A request was accepted.
    RequestAccepted = "request.accepted",
    /// A request waits because nobody known has its key.
    RequestUnmatched = "request.unmatched",
    /// A request that had waited found its subject.
    RequestMatched = "request.matched",
    /// An employment event was recorded.
    EmploymentRecorded = "employment.recorded",
    /// An opt-out was opened.
    OptOutOpened = "opt_out.opened",
    /// A request attached to an open opt-out.
    OptOutAttached = "opt_out.attached",
    /// An opt-out was closed: every job is done.
    OptOutClosed = "opt_out.closed",
    /// An opt-out was called off.
    OptOutCancelled = "opt_out.cancelled",
    /// A restore took an opt-out's place.
    OptOutReversed = "opt_out.reversed",
    /// A job was made.
    JobCreated = "job.created",
    /// A worker took a job's lease.
    JobClaimed = "job.claimed",
    /// A job left its worker: waiting, held, parked, dead or done.
    JobSettled = "job.settled",
    /// A job left a hold, the parking or the dead letters by somebody's decision.
    JobReturned = "job.returned",
    /// A job was called off.
    JobCancelled = "job.cancelled",
    /// A restore or a removal took a job's place.
    JobReplaced = "job.replaced",
    /// A binding was confirmed, refuted or found ambiguous.
    BindingJudged = "binding.judged",
    /// A plan was stored.
    PlanStored = "plan.stored",
    /// Steps were intended: their calls may be sent from here on.
    StepsIntended = "steps.intended",
    /// Effects were answered, or are known to be unanswered.
    EffectsAnswered = "effects.answered",
    /// Steps were judged by a re-read.
    StepsJudged = "steps.judged",
    /// A person said with evidence that a task is done.
    TaskAsserted = "task.asserted",
    /// A second person confirmed it.
    TaskConfirmed = "task.confirmed",
    /// It was not confirmed, and is asked again.
    TaskRefused = "task.refused",
    /// An inspection was stored.
    InspectionStored = "inspection.stored",
    /// A guard was charged.
    GuardCharged = "guard.charged",
    /// A hold was opened.
    HoldOpened = "hold.opened",
    /// A hold was released.
    HoldReleased = "hold.released",
    /// A hold was rejected.
    HoldRejected = "hold.rejected",
    /// A person said with evidence that a dead job was done by hand; the re-read decides.
    DeadLetterClaimed = "dead_letter.resolve_asked",
    /// The re-read agreed.
    DeadLetterResolved = "dead_letter.resolved",
    /// The re-read did not agree.
    DeadLetterContradicted = "dead_letter.contradicted",
    /// A person asked to give a dead letter up.
    DeadLetterDiscardAsked = "dead_letter.discard_asked",
    /// A second person confirmed it.
    DeadLetterDiscarded = "dead_letter.discarded",
    /// A dead message that no job belongs to was closed.
    DeadRawClosed = "dead_raw.closed",
    /// A replay of dead letters was ordered.
    ReplayAsked = "replay.asked",
    /// It was stopped, by a person or by its own rule.
    ReplayStopped = "replay.stopped",
    /// Every member of it has its outcome.
    ReplayEnded = "replay.ended",
    /// A connection was created, changed, parked or opened.
    ConnectionChanged = "connection.changed",
    /// An integration was created or changed.
    IntegrationChanged = "integration.changed",
    /// A source was created or changed.
    SourceChanged = "source.changed",
    /// People were imported.
    DirectoryImported = "directory.imported",
    /// A token was made or revoked.
    TokenChanged = "token.changed",
    /// An inventory was promoted, held, refused or given up.
    InventoryJudged = "inventory.judged",
    /// Findings were opened.
    FindingsOpened = "findings.opened",
    /// Findings were closed by an observation.
    FindingsClosed = "findings.closed",
    /// A finding was confirmed, accepted, repaired or held.
    FindingChanged = "finding.changed",
    /// The protected list was changed.
    ProtectionChanged = "protection.changed",
    /// An exception was added, changed or ended.
    ExceptionChanged = "exception.changed",
}

/// The particulars of an event as JSON text without blanks, keys sorted: kept as text, because those of a large plan take ten times
/// the room as a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Particulars(String);

impl From<Value> for Particulars {
    /// serde_json's map is ordered by key.
    fn from(value: Value) -> Self {
        Self(value.to_string())
    }
}

impl Particulars {
    /// Those of a list: `head`, which is an object, and in it under `name` each of `items`, made into JSON one at a time. The name
    /// comes behind every name in `head`, so that names stay sorted.
    #[must_use]
    pub fn listed(head: &Value, name: &str, items: impl Iterator<Item = Value>) -> Self {
        let mut text = head.to_string();
        text.pop();
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&json!(name).to_string());
        text.push_str(":[");
        for (position, item) in items.enumerate() {
            if position > 0 {
                text.push(',');
            }
            text.push_str(&item.to_string());
        }
        text.push_str("]}");
        Self(text)
    }
}

/// One event: who did what to which target, when, on whose request, and with what result.
///
/// People appear by their pseudonymous subject id only; `data` never holds a name, an e-mail, a login
/// or a secret.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEvent {
    /// Its own id.
    pub id: Uuid,
    /// When, by the database's clock.
    pub at: Timestamp,
    /// Who: `source:NAME`, `token:NAME`, `worker:INSTANCE`, `system:SERVICE`.
    pub actor: String,
    /// What.
    pub kind: AuditKind,
    /// Whose access.
    pub subject: Option<SubjectId>,
    /// Which opt-out.
    pub opt_out: Option<OptOutId>,
    /// Which job.
    pub job: Option<JobId>,
    /// The particulars: targets, states, results.
    pub data: Particulars,
}

impl AuditEvent {
    /// An event without a subject; the builder methods add what it is about.
    #[must_use]
    pub fn new(
        kind: AuditKind,
        at: Timestamp,
        actor: impl Into<String>,
        data: impl Into<Particulars>,
    ) -> Self {
        Self {
            id: Uuid::now_v7(),
            at,
            actor: actor.into(),
            kind,
            subject: None,
            opt_out: None,
            job: None,
            data: data.into(),
        }
    }

    /// Says whose access it is about.
    #[must_use]
    pub fn subject(mut self, subject: SubjectId) -> Self {
        self.subject = Some(subject);
        self
    }

    /// Says which opt-out it is about.
    #[must_use]
    pub fn opt_out(mut self, opt_out: OptOutId) -> Self {
        self.opt_out = Some(opt_out);
        self
    }

    /// Says which job it is about.
    #[must_use]
    pub fn job(mut self, job: JobId) -> Self {
        self.job = Some(job);
        self
    }

    /// The canonical bytes: JSON without blanks, keys sorted, absent fields left out, no fractions.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        let id = |id: Option<Uuid>| id.map(|id| json!(id).to_string());
        let fields = [
            ("actor", Some(json!(self.actor).to_string())),
            ("at_us", Some(self.at.as_microsecond().to_string())),
            ("data", None),
            ("id", id(Some(self.id))),
            ("job", id(self.job.map(|id| id.0))),
            ("kind", Some(json!(self.kind.as_str()).to_string())),
            ("opt_out", id(self.opt_out.map(|id| id.0))),
            ("subject", id(self.subject.map(|id| id.0))),
            ("v", Some("1".to_owned())),
        ];
        let mut bytes = Vec::with_capacity(self.data.0.len() + 512);
        for (name, value) in &fields {
            let value = match *name {
                "data" => Some(self.data.0.as_str()),
                _ => value.as_deref(),
            };
            if let Some(value) = value {
                bytes.push(if bytes.is_empty() { b'{' } else { b',' });
                bytes.extend_from_slice(format!("\"{name}\":").as_bytes());
                bytes.extend_from_slice(value.as_bytes());
            }
        }
        bytes.push(b'}');
        bytes
    }
}

/// The SHA-256 of canonical bytes.
#[must_use]
pub fn digest(canonical: &[u8]) -> [u8; 32] {
    Sha256::digest(canonical).into()
}

/// The SHA-256 of a value as JSON without blanks, fields in the order of their type, keys of objects sorted; written into the digest as
/// it is made, so that a large value takes no room beside itself.
///
/// # Panics
/// For a value that is no JSON: a map whose keys are no text.
#[must_use]
pub fn digest_of(value: &impl Serialize) -> [u8; 32] {
    let mut sink = DigestSink(Sha256::new());
    serde_json::to_writer(&mut sink, value).expect("keys are text, and a digest takes every byte");
    sink.0.finalize().into()
}

struct DigestSink(Sha256);

impl io::Write for DigestSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_events_have_equal_bytes_whatever_the_order_of_their_data() {
        let at = "2026-11-22T12:00:00Z".parse().unwrap();
        let mut one = AuditEvent::new(
            AuditKind::JobSettled,
            at,
            "worker:x",
            json!({"b": 1, "a": {"d": 2, "c": 3}}),
        );
        one.id = Uuid::nil();
        let mut other = one.clone();
        other.data = json!({"a": {"c": 3, "d": 2}, "b": 1}).into();
        assert_eq!(one.canonical(), other.canonical());
        assert_eq!(
            String::from_utf8(one.canonical()).unwrap(),
            r#"{"actor":"worker:x","at_us":1795348800000000,"data":{"a":{"c":3,"d":2},"b":1},"id":"00000000-0000-0000-0000-000000000000","kind":"job.settled","v":1}"#
        );
    }

    #[test]
    fn a_list_is_written_as_its_tree_would_be() {
        let items = || [json!({"b": "x\"y", "a": 1}), json!(2)].into_iter();
        for head in [json!({"revision": 3}), json!({})] {
            let mut tree = head.clone();
            tree["steps"] = items().collect();
            let listed = Particulars::listed(&head, "steps", items());
            assert_eq!(listed, tree.into());
        }
    }

    #[test]
    fn a_digest_that_is_written_as_it_is_made_is_that_of_the_text() {
        let value = json!({"b": [1, "x"], "a": {"d": null}});
        assert_eq!(digest_of(&value), digest(value.to_string().as_bytes()));
    }

    #[test]
    fn a_changed_event_has_another_digest() {
        let at = "2026-11-22T12:00:00Z".parse().unwrap();
        let event = AuditEvent::new(AuditKind::JobSettled, at, "worker:x", json!({}));
        let changed = AuditEvent {
            actor: "worker:y".to_owned(),
            ..event.clone()
        };
        assert_ne!(digest(&event.canonical()), digest(&changed.canonical()));
    }

    #[test]
    fn kinds_are_unique() {
        let mut words: Vec<_> = AuditKind::ALL.iter().map(|kind| kind.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), AuditKind::ALL.len());
    }
}
