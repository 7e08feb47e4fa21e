//! How findings, inventories and what somebody can reach are shown over HTTP.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sever_domain::{
    AccountState, DriftAction, EntitlementKind, FindingState, Provider, RunKind, RunState,
    Situation,
};
use sever_store::access::Reach;
use sever_store::finding::FindingRow;
use sever_store::reconcile::Observed;
use utoipa::ToSchema;
use uuid::Uuid;

/// One difference between what should be and what was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FindingView {
    /// Its id.
    pub id: Uuid,
    /// What kind of difference it is.
    #[schema(value_type = String, example = "residual")]
    pub situation: Situation,
    /// The connection's name.
    pub connection: String,
    /// What it is about: the kind and the provider's id of an account, holder or token.
    pub cause: String,
    /// Whose it is, by the pseudonymous subject id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Uuid>,
    /// Whether administrative power hangs on it.
    pub privileged: bool,
    /// Where it is in its life.
    #[schema(value_type = String, example = "open")]
    pub state: FindingState,
    /// Why it is in that state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// What the policy says is to be done.
    #[schema(value_type = String, example = "repair")]
    pub action: DriftAction,
    /// What was seen, without personal data.
    pub evidence: serde_json::Value,
    /// Who or what gave the access, by the provider's own log, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<serde_json::Value>,
    /// How often the same cause had been repaired before.
    pub returns: i32,
    /// The number of the last inventory that saw it, or closed it.
    pub run: i32,
    /// How many inventories saw it.
    pub times_seen: i32,
    /// The time of the first observation.
    pub first_seen_at: Timestamp,
    /// The time of the newest observation.
    pub last_seen_at: Timestamp,
    /// When a read by id confirmed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
    /// The opt-out that repairs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opt_out: Option<Uuid>,
    /// Until when it is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_until: Option<Timestamp>,
    /// Who accepted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_by: Option<String>,
    /// Why it was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_why: Option<String>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
}

impl From<FindingRow> for FindingView {
    fn from(row: FindingRow) -> Self {
        Self {
            id: row.id.0,
            situation: row.situation,
            connection: row.connection_name,
            cause: row.cause_key,
            subject: row.subject.map(|id| id.0),
            privileged: row.privileged,
            state: row.state,
            state_reason: row.state_reason,
            action: row.action,
            evidence: row.evidence,
            provenance: row.provenance,
            returns: row.returns,
            run: row.run_no,
            times_seen: row.times_seen,
            first_seen_at: row.first_seen_at,
            last_seen_at: row.last_seen_at,
            confirmed_at: row.confirmed_at,
            opt_out: row.opt_out.map(|id| id.0),
            accepted_until: row.accepted_until,
            accepted_by: row.accepted_by,
            accepted_why: row.accepted_why,
            closed_at: row.closed_at,
        }
    }
}

/// Findings, privileged ones first, at most a thousand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FindingList {
    /// The findings.
    pub items: Vec<FindingView>,
}

/// Accepting a finding until a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptanceBody {
    /// Until when, RFC 3339; at most 400 days ahead.
    pub until: Timestamp,
    /// Why, 1 to 500 characters; no personal data.
    #[schema(example = "contractor until the migration is over")]
    pub reason: String,
}

/// How a connection is observed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ObservedView {
    /// The connection's name.
    pub connection: String,
    /// Its provider.
    #[schema(value_type = String, example = "okta")]
    pub provider: Provider,
    /// When the newest promoted inventory began; absent where nothing is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<Timestamp>,
    /// Accounts in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<i64>,
    /// Entitlements in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entitlements: Option<i64>,
    /// Findings that are open.
    pub findings: i64,
    /// When the schedule asks for the next inventory; absent where the connection takes no work or the directory is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// The newest inventory, whatever became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<RunView>,
}

/// One inventory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunView {
    /// Its id.
    pub id: Uuid,
    /// Its number.
    pub no: i32,
    /// `full` or `incremental`.
    #[schema(value_type = String, example = "full")]
    pub kind: RunKind,
    /// How far it is.
    #[schema(value_type = String, example = "running")]
    pub state: RunState,
    /// Why it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Accounts so far.
    pub accounts: i64,
    /// Entitlements so far.
    pub entitlements: i64,
    /// Records that could not be read.
    pub set_aside: i64,
    /// When a worker began to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

impl From<Observed> for ObservedView {
    fn from(observed: Observed) -> Self {
        Self {
            connection: observed.name,
            provider: observed.provider,
            observed_at: observed.observed_at,
            accounts: observed.rows.map(|rows| rows.0),
            entitlements: observed.rows.map(|rows| rows.1),
            findings: observed.findings,
            next_at: observed.next_at,
            last: observed.last.map(|run| RunView {
                id: run.id.0,
                no: run.no,
                kind: run.kind,
                state: run.state,
                reason: run.reason,
                accounts: run.accounts,
                entitlements: run.entitlements,
                set_aside: run.set_aside,
                started_at: run.started_at,
                ended_at: run.ended_at,
            }),
        }
    }
}

/// How the connections are observed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ObservedList {
    /// By connection name.
    pub items: Vec<ObservedView>,
}

/// Asking for an inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunRequestBody {
    /// The connection's name.
    #[schema(example = "okta-main")]
    pub connection: String,
    /// `full` reads everything; `incremental` the accounts that changed since the newest inventory, where the provider tells (`entra`).
    #[serde(default = "full")]
    #[schema(value_type = String, example = "full")]
    pub kind: RunKind,
}

const fn full() -> RunKind {
    RunKind::Full
}

/// An inventory that was asked for, or released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunAsked {
    /// The inventory.
    pub run: Uuid,
}

/// What somebody can reach, by the newest inventories.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AccessView {
    /// Whose access it is.
    pub subject: Uuid,
    /// By connection name.
    pub connections: Vec<ReachView>,
}

/// What was seen at one connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReachView {
    /// The connection's name.
    pub connection: String,
    /// Whether an inventory can say anything; where not, what follows is unknown, not empty.
    pub known: bool,
    /// The accounts.
    pub accounts: Vec<AccountSeen>,
    /// What hangs on them, privileged first.
    pub entitlements: Vec<EntitlementSeen>,
    /// Families that no list of the provider tells of: they are read of some accounts one by one.
    pub closely: Vec<FamilyRead>,
}

/// A family that is known of an account only where this account was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FamilyRead {
    /// The account.
    pub account: String,
    /// The family.
    #[schema(value_type = String, example = "factor")]
    pub kind: EntitlementKind,
    /// When it was last read whole; `null` where it never was: unknown, not empty.
    pub read_at: Option<Timestamp>,
}

/// An account as it was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AccountSeen {
    /// The provider's id.
    pub id: String,
    /// What it could do.
    #[schema(value_type = String, example = "live")]
    pub state: AccountState,
    /// When that was seen.
    pub seen_at: Timestamp,
}

/// An entitlement as it was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EntitlementSeen {
    /// The account that holds it.
    pub account: String,
    /// Its family.
    #[schema(value_type = String, example = "group")]
    pub kind: EntitlementKind,
    /// The provider's key of it.
    pub key: String,
    /// Whether it gives administrative power.
    pub privileged: bool,
    /// When that was seen.
    pub seen_at: Timestamp,
}

impl From<Reach> for ReachView {
    fn from(reach: Reach) -> Self {
        let accounts = reach.accounts.into_iter().map(|account| AccountSeen {
            id: account.provider_id,
            state: account.state,
            seen_at: account.seen_at,
        });
        let entitlements = reach
            .entitlements
            .into_iter()
            .map(|entitlement| EntitlementSeen {
                account: entitlement.account_id,
                kind: entitlement.kind,
                key: entitlement.provider_key,
                privileged: entitlement.privileged,
                seen_at: entitlement.seen_at,
            });
        let closely = reach.closely.into_iter().map(|family| FamilyRead {
            account: family.account_id,
            kind: family.kind,
            read_at: family.read_at,
        });
        Self {
            connection: reach.connection,
            known: reach.known,
            accounts: accounts.collect(),
            entitlements: entitlements.collect(),
            closely: closely.collect(),
        }
    }
}
