//! How replays of dead letters are ordered and shown over HTTP.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sever_domain::Provider;
use sever_domain::replay::ReplayState;
use sever_store::replay::{MemberRow, Part, Plan, ReplayFacts, Selection};
use utoipa::ToSchema;
use uuid::Uuid;

/// Which dead letters to replay, and whether to begin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayBody {
    /// Dead letters, or their jobs. Everything that is given must agree; at least one thing must be given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<Uuid>,
    /// One fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// One provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "okta")]
    pub provider: Option<Provider>,
    /// One connection, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Dead at this time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Dead before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why, for the record: 1 to 500 characters, no e-mail address.
    #[schema(example = "the role was given back to Sever's application")]
    pub reason: String,
    /// Only show what it would do.
    #[serde(default)]
    pub dry_run: bool,
    /// The largest step, 1 to 1,000; 64 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_size_max: Option<u16>,
}

impl ReplayBody {
    /// What is selected.
    #[must_use]
    pub fn selection(&self) -> Selection {
        Selection {
            ids: self.ids.clone(),
            fingerprint: self.fingerprint.clone(),
            provider: self.provider,
            connection: self.connection.clone(),
            since: self.since,
            until: self.until,
        }
    }
}

/// What a replay would do, and the replay where it was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayPlanView {
    /// The replay; absent for a dry run, which changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Uuid>,
    /// How many dead letters.
    pub count: i64,
    /// By fingerprint and connection, the largest part first.
    pub parts: Vec<PartView>,
    /// The first one to go.
    pub canary: Uuid,
    /// The sizes of the steps, the canary's first; the last one repeats.
    pub steps: Vec<i64>,
}

/// The part of a plan with one fingerprint at one connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PartView {
    /// `provider:action:class:code`.
    pub fingerprint: String,
    /// The connection's name.
    pub connection: String,
    /// The connection's state; only an open one takes work.
    pub connection_state: String,
    /// Whether its provider wants to be left alone now.
    pub blocked: bool,
    /// How many dead letters.
    pub count: i64,
    /// How many of them a hold would stop at once.
    pub held: i64,
}

/// Replays, running ones first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReplayPage {
    /// At most 50.
    pub items: Vec<ReplayView>,
}

/// One replay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReplayView {
    /// Its id.
    pub id: Uuid,
    /// `canary`, `ramping`, `done` or `stopped`.
    #[schema(value_type = String, example = "ramping")]
    pub state: ReplayState,
    /// Who ordered it.
    pub asked_by: String,
    /// Why.
    pub reason: String,
    /// What was selected.
    pub selection: serde_json::Value,
    /// The present step; 1 is the canary.
    pub step: i32,
    /// When that was released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_at: Option<Timestamp>,
    /// Members that wait for their step.
    pub queued: i64,
    /// Members whose job is at work.
    pub released: i64,
    /// Members whose job came to a good end, or waits for something that is no failure.
    pub done: i64,
    /// Members whose job gave up again.
    pub failed: i64,
    /// Members whose job a hold stops.
    pub held: i64,
    /// Members that were closed otherwise, or not released before the stop.
    pub skipped: i64,
    /// When it was ordered.
    pub opened_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// Who stopped it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_why: Option<String>,
    /// Members that failed, are held or are at work; at most 50, only of a single replay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MemberView>,
}

/// One member of a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberView {
    /// The dead letter.
    pub letter: Uuid,
    /// Its job.
    pub job: Uuid,
    /// `released`, `failed` or `held`.
    pub state: String,
    /// The job's state now.
    pub job_state: String,
    /// Why it is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_reason: Option<String>,
    /// The dead letter's fingerprint.
    pub fingerprint: String,
}

impl ReplayPlanView {
    /// `replay` where it was begun.
    #[must_use]
    pub fn new(plan: Plan, replay: Option<Uuid>) -> Self {
        Self {
            replay,
            count: plan.letters,
            parts: plan.parts.into_iter().map(PartView::from).collect(),
            canary: plan.canary.0,
            steps: plan.steps,
        }
    }
}

impl From<Part> for PartView {
    fn from(part: Part) -> Self {
        Self {
            fingerprint: part.fingerprint,
            connection: part.connection,
            connection_state: part.connection_state,
            blocked: part.blocked,
            count: part.letters,
            held: part.held,
        }
    }
}

impl ReplayView {
    /// `members` for a single replay.
    #[must_use]
    pub fn new(facts: ReplayFacts, members: Vec<MemberRow>) -> Self {
        use sever_domain::replay::MemberState as S;
        let count = |state: S| {
            let found = facts.members.iter().find(|count| count.state == state);
            found.map_or(0, |count| count.members)
        };
        Self {
            queued: count(S::Queued),
            released: count(S::Released),
            done: count(S::Done),
            failed: count(S::Failed),
            held: count(S::Held),
            skipped: count(S::Skipped),
            id: facts.id.0,
            state: facts.state,
            asked_by: facts.asked_by,
            reason: facts.reason,
            selection: facts.selection,
            step: facts.step,
            step_at: facts.step_at,
            opened_at: facts.opened_at,
            closed_at: facts.closed_at,
            stopped_by: facts.stopped_by,
            stopped_why: facts.stopped_why,
            members: members.into_iter().map(MemberView::from).collect(),
        }
    }
}

impl From<MemberRow> for MemberView {
    fn from(row: MemberRow) -> Self {
        Self {
            letter: row.letter.0,
            job: row.job.0,
            state: row.state.to_string(),
            job_state: row.job_state.to_string(),
            job_reason: row.job_reason,
            fingerprint: row.fingerprint,
        }
    }
}
