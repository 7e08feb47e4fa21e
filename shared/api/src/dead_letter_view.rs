//! How dead letters are shown over HTTP, and what a person says of one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sever_domain::dead_letter::DeadLetterState;
use sever_domain::{HoldReason, JobKind, Provider};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::job_view::JobView;

mod from_facts;

/// Everything that is dead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadLettersView {
    /// Dead letters by fingerprint, the largest cluster first; at most 200.
    pub clusters: Vec<ClusterView>,
    /// Dead messages that no job belongs to, oldest first; at most 200.
    pub raws: Vec<RawSummaryView>,
    /// What the janitor last saw of each queue.
    pub queues: Vec<QueueView>,
}

/// Dead letters with one fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterView {
    /// `provider:action:class:code`.
    #[schema(example = "okta:revoke_role:permanent:E0000006")]
    pub fingerprint: String,
    /// Its first part.
    pub provider: String,
    /// What was being done.
    pub action: String,
    /// The class of the failure.
    pub class: String,
    /// The provider's code, or its status.
    pub code: String,
    /// How many stand.
    pub count: i64,
    /// How many of them are being read again after work by hand.
    pub resolving: i64,
    /// When the first of them died.
    pub first_at: Timestamp,
    /// When the last of them died.
    pub last_at: Timestamp,
    /// The names of their connections.
    pub connections: Vec<String>,
}

/// A dead message that no job belongs to, without its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RawSummaryView {
    /// Its id.
    pub id: Uuid,
    /// Whose queue it is in: a provider, or `in` for intake's.
    pub queue: String,
    /// Why nothing could be done with it.
    pub problem: String,
    /// SHA-256 of its whole body.
    pub sha256: String,
    /// Bytes of its whole body.
    pub bytes: i64,
    /// How often it was dead-lettered.
    pub times: i64,
    /// When it was first met.
    pub first_at: Timestamp,
    /// When it was last seen in the queue.
    pub seen_at: Timestamp,
    /// Who asked to give it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discard_asked_by: Option<String>,
}

/// What the janitor last saw of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueView {
    /// Whose queue: a provider, or `in` for intake's.
    pub queue: String,
    /// When it was looked at.
    pub looked_at: Timestamp,
    /// Messages in it.
    pub depth: i64,
    /// Messages that belonged there by the database.
    pub expected: i64,
    /// Since when the two differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_of_step_since: Option<Timestamp>,
}

/// The dead letters of one fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LetterPage {
    /// Oldest first.
    pub items: Vec<LetterSummaryView>,
    /// Pass it as `after` for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
}

/// One dead letter in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LetterSummaryView {
    /// Its id.
    pub id: Uuid,
    /// Its job.
    pub job: Uuid,
    /// The job's opt-out.
    pub opt_out: Uuid,
    /// The connection's name.
    pub connection: String,
    /// `open` or `resolving`.
    #[schema(value_type = String, example = "open")]
    pub state: DeadLetterState,
    /// Why the job gave up.
    pub reason: String,
    /// When it died.
    pub opened_at: Timestamp,
    /// What the last re-read after work by hand still saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// Who asked to give it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discard_asked_by: Option<String>,
}

/// One dead letter, or one dead message that no job belongs to: exactly one of the two is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeadView {
    /// The dead letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letter: Option<LetterView>,
    /// The dead message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<RawView>,
}

/// The whole story of one dead letter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LetterView {
    /// Its id.
    pub id: Uuid,
    /// Its job.
    pub job: Uuid,
    /// The job's opt-out.
    pub opt_out: Uuid,
    /// Whose access it is about, by the pseudonymous subject id.
    pub subject: Uuid,
    /// What the job is for.
    #[schema(value_type = String, example = "opt_out")]
    pub kind: JobKind,
    /// The connection's name.
    pub connection: String,
    /// The provider.
    #[schema(value_type = String, example = "okta")]
    pub provider: Provider,
    /// `provider:action:class:code`.
    pub fingerprint: String,
    /// Why the job gave up.
    pub reason: String,
    /// Its state.
    #[schema(value_type = String, example = "open")]
    pub state: DeadLetterState,
    /// When the job gave up.
    pub opened_at: Timestamp,
    /// How often the job had given up before.
    pub earlier: i64,
    /// When the janitor last saw its message in the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
    /// Who last said that it was done by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolve_asked_by: Option<String>,
    /// What they gave as evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// What the re-read after it still saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// Who asked to give it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discard_asked_by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discard_reason: Option<String>,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// Who closed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_reason: Option<String>,
    /// What was asked.
    pub requests: Vec<AskedView>,
    /// Every attempt, oldest first.
    pub attempts: Vec<AttemptView>,
    /// The job with its steps, and what the re-reads saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<JobView>,
    /// What a replay would do now.
    pub replay: ForeseenView,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AskedView {
    /// Who asked.
    pub asked_by: String,
    /// `amqp`, `http` or `console`.
    pub channel: String,
    /// What was reported or asked.
    pub kind: String,
    /// How far it was to go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// Why, in the asker's words.
    pub reason: String,
    /// When it was to take effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_at: Option<Timestamp>,
    /// When it was received.
    pub received_at: Timestamp,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttemptView {
    /// 1, 2, 3.
    pub no: i32,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// What went wrong, with the status, the code and the provider's request id of the failed call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The calls that it intended.
    pub calls: Vec<CallView>,
}

/// One intended call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallView {
    /// What the step does.
    pub action: String,
    /// The kind of what it ends.
    pub target_kind: String,
    /// The provider's key of what it ends.
    pub target_key: String,
    /// When its intent was committed.
    pub intent_at: Timestamp,
    /// When it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
    /// The HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<i32>,
    /// What it came to; absent while unanswered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The provider's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The provider's request id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_request_id: Option<String>,
}

/// What a replay would do now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ForeseenView {
    /// In one sentence.
    pub what: String,
    /// The hold that would stop it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub hold: Option<HoldReason>,
    /// The newer employment event that would stop it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer_event: Option<String>,
    /// The connection's state.
    pub connection_state: String,
}

/// A dead message that no job belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RawView {
    /// Its id.
    pub id: Uuid,
    /// Whose queue it is in: a provider, or `in` for intake's.
    pub queue: String,
    /// `open`, `resolved` or `discarded`.
    pub state: String,
    /// Why nothing could be done with it.
    pub problem: String,
    /// SHA-256 of its whole body.
    pub sha256: String,
    /// Bytes of its whole body.
    pub bytes: i64,
    /// How often it was dead-lettered.
    pub times: i64,
    /// The body as text, cut at 64 KiB; it may hold personal data, and is empty once the message is closed.
    pub body: String,
    /// The headers that were kept.
    pub headers: serde_json::Value,
    /// When it was first met.
    pub first_at: Timestamp,
    /// When it was last seen in the queue.
    pub seen_at: Timestamp,
    /// What shows that it was dealt with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// Who asked to give it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discard_asked_by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discard_reason: Option<String>,
    /// Who closed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_reason: Option<String>,
}

/// It was done by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveBody {
    /// What shows it, in words or as a reference: 1 to 4,000 characters, no e-mail address.
    #[schema(example = "ticket OPS-123: role removed in the admin console")]
    pub evidence: String,
    /// Why by hand, for the record: 1 to 500 characters, no e-mail address.
    pub reason: String,
}

/// It is to be given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscardBody {
    /// Why, for the record: 1 to 500 characters, no e-mail address.
    pub reason: String,
}
