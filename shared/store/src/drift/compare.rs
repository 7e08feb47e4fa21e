//! One comparison, from the counting of rows to the promotion.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::entitlement::FamilyResult;
use sever_domain::finding::{RETURNS_MAX, admits_findings};
use sever_domain::guard::MassGuard;
use sever_domain::inventory::{FamilyRecord, RunVerdict, judge_run};
use sever_domain::{RunId, RunKind, RunState, Situation, SubjectId};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::judged::{self, Changes, Loaded, count_rows};
use super::standing;
use crate::audit;
use crate::error::StoreError;
use crate::finding;
use crate::pool::{Store, Tx};
use crate::row::word;

/// Big joins want memory of the server, and more time than an ordinary statement. Plans are made for the run at hand.
const SETTINGS: &str = "
SET LOCAL work_mem = '64MB'; SET LOCAL statement_timeout = '15min'; SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL jit = off";
/// The timeout of a statement in [`SETTINGS`].
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(15 * 60);

const ANALYZE: &str = "SELECT inventory_analyze($1)::text";

const LIMITS: &str = "
SELECT findings_max, findings_percent, findings_min FROM reconcile_setting WHERE connection_id = $1";

const POLICIES: &str = "SELECT situation, action FROM situation_policy WHERE connection_id = $1";

/// The limits of a connection that has none of its own; the same as the table's defaults.
const DEFAULT_LIMITS: (i64, f64, i64) = (10_000, 1.0, 50);

/// Findings that one audit event names.
const EVENT_MAX: usize = 500;

const ACCOUNTS: &str = include_str!("accounts.sql");
const OWNERS: &str = include_str!("owners.sql");
const ENTITLEMENTS: &str = include_str!("entitlements.sql");
const UNREACHABLE: &str = include_str!("unreachable.sql");
const CAUSES: &str = include_str!("causes.sql");
const GUARD: &str = include_str!("guard.sql");
const SEEN_AGAIN: &str = include_str!("seen_again.sql");
const OPEN: &str = include_str!("open.sql");
const CLOSE: &str = include_str!("close.sql");
const DOUBT: &str = include_str!("doubt.sql");

const SUBJECTS: &str = include_str!("subjects.sql");

/// An incremental run speaks of what it names only. The kinds are named so that the index is asked for these ids.
const SCOPE: &str = "AND kind IN ('account', 'application')
      AND provider_id = ANY (ARRAY(SELECT provider_id FROM observed_account WHERE run_no = {run}))";
/// How those stand whom it can be about, and not everybody.
const SUBJECTS_IN_SCOPE: &str = "= ANY (ARRAY(SELECT subject_id FROM drift_subject))";

/// How many findings of a situation were opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// The situation.
    pub situation: Situation,
    /// How many.
    pub findings: usize,
}

/// What a comparison came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// The run is not loaded: somebody else compared it, or it never came so far.
    NotLoaded,
    /// The rows are not those of the record; nothing was concluded.
    Refused,
    /// The accounts were not read whole; that is all that was noted.
    Incomplete,
    /// It would open more than the guard allows; nothing was opened or closed.
    Held {
        /// Findings that it would open.
        would_open: i64,
        /// Findings that it may open.
        limit: i64,
    },
    /// The connection's newest inventory, or a part of it.
    Promoted {
        /// Findings opened.
        opened: Vec<Opened>,
        /// Findings seen again.
        seen_again: u64,
        /// Findings closed.
        closed: usize,
    },
}

/// Compares a loaded run with what should be, and promotes it. Reads the run's tables whole; memory does not grow with them.
///
/// # Errors
/// As any statement; nothing has changed then, and it can be called again.
pub async fn compare(store: &Store, run: RunId, actor: &str) -> Result<Compared, StoreError> {
    let mut client = store.client("comparing an inventory").await?;
    let mut tx = client.begin().await?;
    tx.batch(SETTINGS, "setting up a comparison").await?;
    tx.be_patient_for(STATEMENT_TIMEOUT);
    let Some(run) = judged::lock(&tx, run).await? else {
        return Ok(Compared::NotLoaded);
    };
    let families = judged::families(&tx, run.id).await?;
    let counted = count_rows(&tx, run.no).await?;
    let compared = match judge_run(&families, run.record, counted) {
        RunVerdict::Refused => {
            judged::end(
                &tx,
                &run,
                RunState::Refused,
                Some("rows_lost"),
                Changes::default(),
                actor,
            )
            .await?;
            Compared::Refused
        }
        RunVerdict::Incomplete => {
            tx.batch(&of_run(UNREACHABLE, &run), "noting what could not be read")
                .await?;
            let changes = write_findings(&tx, &run, &[], actor).await?.0;
            judged::end(
                &tx,
                &run,
                RunState::Incomplete,
                Some("accounts"),
                changes,
                actor,
            )
            .await?;
            Compared::Incomplete
        }
        RunVerdict::Compare => differences(&tx, &run, &families, actor).await?,
    };
    tx.commit().await?;
    Ok(compared)
}

/// Finds the differences of a run that is whole, and writes them unless they are too many.
async fn differences(
    tx: &Tx<'_>,
    run: &Loaded,
    families: &[FamilyRecord],
    actor: &str,
) -> Result<Compared, StoreError> {
    tx.query(ANALYZE, &[&run.no], "analyzing an inventory")
        .await?;
    if run.kind == RunKind::Incremental {
        tx.batch(&of_run(SUBJECTS, run), "naming whom changes are about")
            .await?;
    }
    for (sql, doing) in [
        (ACCOUNTS, "comparing accounts"),
        (OWNERS, "correlating accounts"),
        (ENTITLEMENTS, "comparing entitlements"),
        (UNREACHABLE, "noting what could not be read"),
        (CAUSES, "naming differences"),
    ] {
        tx.batch(&of_run(sql, run), doing).await?;
    }
    let limits = limits(tx, run).await?;
    let would_open: i64 = tx
        .query(GUARD, &[&run.connection.0], "counting new findings")
        .await?[0]
        .get("opens");
    let accounts = i64::try_from(run.record.accounts).unwrap_or(i64::MAX);
    if !run.released && !admits_findings(&limits, would_open, accounts) {
        let limit = limits.limit(accounts);
        judged::end(
            tx,
            run,
            RunState::Held,
            Some("mass_guard"),
            Changes::default(),
            actor,
        )
        .await?;
        return Ok(Compared::Held { would_open, limit });
    }
    let (changes, opened) = write_findings(tx, run, families, actor).await?;
    judged::promote(tx, run).await?;
    let (state, reason) = match run.kind {
        RunKind::Full => (RunState::Promoted, None),
        RunKind::Incremental => (RunState::Superseded, Some("merged")),
    };
    judged::end(tx, run, state, reason, changes, actor).await?;
    Ok(Compared::Promoted {
        opened,
        seen_again: changes.seen_again,
        closed: changes.closed,
    })
}

/// The statement for this run.
fn of_run(sql: &str, run: &Loaded) -> String {
    let (scope, subjects, whole) = match run.kind {
        RunKind::Full => ("", "IS NOT NULL", "true"),
        RunKind::Incremental => (SCOPE, SUBJECTS_IN_SCOPE, "false"),
    };
    let here = format!("'{}'::uuid", run.connection);
    sql.replace("{standing}", &standing::of(&here, subjects))
        .replace("{last_write}", &standing::last_write(&here, "subject.id"))
        .replace("{scope}", scope)
        .replace("{whole}", whole)
        .replace("{run}", &run.no.to_string())
        .replace("{run_id}", &run.id.to_string())
        .replace("{connection}", &run.connection.to_string())
        .replace("{started_at}", &run.started_at.to_string())
}

async fn limits(tx: &Tx<'_>, run: &Loaded) -> Result<MassGuard, StoreError> {
    let row = tx
        .query_opt(
            LIMITS,
            &[&run.connection.0],
            "reading the limits of a connection",
        )
        .await?;
    let (count, percent, minimum) = row.map_or(DEFAULT_LIMITS, |row| {
        (
            row.get("findings_max"),
            row.get("findings_percent"),
            row.get("findings_min"),
        )
    });
    // A run is its own window.
    Ok(MassGuard {
        count,
        percent,
        minimum,
        window: SignedDuration::ZERO,
    })
}

/// What is done about each situation, and where its findings begin, as columns.
async fn policies(tx: &Tx<'_>, run: &Loaded) -> Result<[Vec<&'static str>; 3], StoreError> {
    let rows = tx
        .query(
            POLICIES,
            &[&run.connection.0],
            "reading the policies of a connection",
        )
        .await?;
    let mut by_situation = std::collections::BTreeMap::new();
    for row in &rows {
        by_situation.insert(word::<Situation>(row, "situation")?, word(row, "action")?);
    }
    let action = |situation: &Situation| situation.action(by_situation.get(situation).copied());
    let all = Situation::ALL;
    Ok([
        all.iter().map(|situation| situation.as_str()).collect(),
        all.iter()
            .map(|situation| action(situation).as_str())
            .collect(),
        all.iter()
            .map(|situation| situation.begins(action(situation)).as_str())
            .collect(),
    ])
}

/// Writes what was found: seen again, opened, closed. `families` is empty for a run that can close nothing.
async fn write_findings(
    tx: &Tx<'_>,
    run: &Loaded,
    families: &[FamilyRecord],
    actor: &str,
) -> Result<(Changes, Vec<Opened>), StoreError> {
    let (id, connection) = (run.id.0, run.connection.0);
    finding::end_acceptances(tx, run.connection, actor).await?;
    let seen_again = tx
        .execute(
            SEEN_AGAIN,
            &[&id, &connection],
            "noting findings that were seen again",
        )
        .await?;
    let [situations, actions, begins] = policies(tx, run).await?;
    let returns_max = i64::from(RETURNS_MAX);
    let opened = tx
        .query(
            OPEN,
            &[
                &id,
                &connection,
                &situations,
                &actions,
                &begins,
                &returns_max,
            ],
            "opening findings",
        )
        .await?;
    record(tx, run, AuditKind::FindingsOpened, &opened, actor).await?;
    let whole = run.kind == RunKind::Full;
    let judged = closable(families, run.set_aside, whole);
    let by_accounts = of_accounts();
    let values: &[&(dyn ToSql + Sync)] = &[
        &id,
        &connection,
        &judged,
        &run.started_at,
        &whole,
        &run.no,
        &by_accounts,
    ];
    let closed = tx.query(CLOSE, values, "closing findings").await?;
    record(tx, run, AuditKind::FindingsClosed, &closed, actor).await?;
    if whole {
        let values: &[&(dyn ToSql + Sync)] = &[&id, &connection, &judged, &run.started_at, &run.no];
        let doubtful = tx.query(DOUBT, values, "doubting findings").await?;
        record(tx, run, AuditKind::FindingChanged, &doubtful, actor).await?;
    }
    let mut by_situation = std::collections::BTreeMap::<Situation, usize>::new();
    for row in &opened {
        *by_situation.entry(word(row, "situation")?).or_default() += 1;
    }
    let changes = Changes {
        opened: opened.len(),
        seen_again,
        closed: closed.len(),
    };
    let opened = by_situation
        .into_iter()
        .map(|(situation, findings)| Opened {
            situation,
            findings,
        });
    Ok((changes, opened.collect()))
}

/// The situations that this run can say are over. A record that was set aside may be the one. Of which accounts an incremental run read
/// enough, the statement asks for each finding.
fn closable(families: &[FamilyRecord], set_aside: i64, whole: bool) -> Vec<&'static str> {
    let all = !whole
        || set_aside == 0
            && families.iter().all(|record| {
                matches!(
                    record.result,
                    FamilyResult::Complete | FamilyResult::Unsupported
                )
            });
    let judges =
        |situation: &&Situation| !families.is_empty() && (situation.judged_by_accounts() || all);
    Situation::ALL
        .iter()
        .filter(judges)
        .map(|situation| situation.as_str())
        .collect()
}

/// The situations that an account's own state decides.
fn of_accounts() -> Vec<&'static str> {
    Situation::ALL
        .iter()
        .filter(|situation| situation.judged_by_accounts())
        .map(|situation| situation.as_str())
        .collect()
}

/// One audit event names many findings of one kind of change.
async fn record(
    tx: &Tx<'_>,
    run: &Loaded,
    kind: AuditKind,
    rows: &[Row],
    actor: &str,
) -> Result<(), StoreError> {
    for chunk in rows.chunks(EVENT_MAX) {
        let named: Vec<_> = chunk
            .iter()
            .map(|row| {
                json!({
                    "finding": row.get::<_, Uuid>("id"), "returns": row.try_get::<_, i32>("returns").ok(), "situation": row.get::<_, &str>("situation"), "to": row.get::<_, &str>("state"),
                    "subject": row.get::<_, Option<Uuid>>("subject_id").map(SubjectId),
                })
            })
            .collect();
        let data = json!({"run": run.id, "connection": run.connection, "findings": named});
        audit::insert(tx, &[AuditEvent::new(kind, run.now, actor, data)]).await?;
    }
    Ok(())
}
