//! The integrity of Sever itself: what is broken in no single row and still must not stay as it is.
//!
//! An invariant ([`crate::invariants`]) never breaks while the program is right; what stands here happens in the best of fleets (a
//! reconciler that was off, an exception that ran out) and needs somebody. `sever doctor` shows both, and the leading reconciler
//! counts these for the metrics.

use crate::error::StoreError;
use crate::pool::Client;

/// The most rows that one check reports.
pub const CONCERNS_MAX: i64 = 100;

/// One statement: `id` (text) and `detail` (text or null) of each row that needs somebody; takes the limit as `$1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// Its name: the label of the metric.
    pub name: &'static str,
    /// What it means, in one sentence.
    pub what: &'static str,
    sql: &'static str,
}

/// Something that needs somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concern {
    /// The check's name.
    pub name: &'static str,
    /// What it means.
    pub what: &'static str,
    /// The row, by its id or name.
    pub id: String,
    /// The particulars, without personal data.
    pub detail: Option<String>,
}

/// Every check.
pub const CHECKS: [Check; 8] = [
    Check {
        name: "job_without_message",
        what: "a job has been due for minutes, and no bell of it waits or was rung",
        sql: "
SELECT job.id::text AS id, job.provider || ', due at ' || job.due_at AS detail FROM job JOIN connection ON connection.id = job.connection_id
LEFT JOIN breaker ON breaker.connection_id = connection.id
WHERE job.state = 'waiting' AND job.due_at < now() - interval '5 minutes' AND (job.rung_at IS NULL OR job.rung_at < job.due_at)
  AND connection.state = 'open' AND (connection.blocked_until IS NULL OR connection.blocked_until < now()) AND breaker.opened_at IS NULL
  AND NOT EXISTS (SELECT FROM outbox WHERE outbox.job_id = job.id)
ORDER BY job.due_at LIMIT $1",
    },
    Check {
        name: "message_without_job",
        what: "a bell has waited for minutes and names a job that is over",
        sql: "
SELECT outbox.id::text AS id, 'job ' || job.id || ' is ' || job.state AS detail FROM outbox JOIN job ON job.id = outbox.job_id
WHERE job.state IN ('done', 'cancelled', 'replaced') AND outbox.created_at < now() - interval '5 minutes'
ORDER BY outbox.created_at LIMIT $1",
    },
    Check {
        name: "connection_unobserved",
        what: "a connection has not been observed whole for twice its interval",
        sql: "
SELECT connection.name AS id, coalesce('last observed ' || promoted.started_at, 'never observed, made ' || connection.created_at) AS detail
FROM connection LEFT JOIN reconcile_setting AS setting ON setting.connection_id = connection.id
LEFT JOIN connection_inventory AS pointer ON pointer.connection_id = connection.id
LEFT JOIN inventory_run AS promoted ON promoted.id = pointer.run_id
WHERE connection.state <> 'closed' AND EXISTS (SELECT FROM subject)
  AND coalesce(promoted.started_at, connection.created_at)
      < now() - make_interval(secs => 2 * coalesce(setting.full_every_s, 86400)) - interval '10 minutes'
ORDER BY connection.name LIMIT $1",
    },
    Check {
        name: "inventory_held",
        what: "an inventory would open more findings than the guard allows, and waits for somebody",
        sql: "
SELECT run.id::text AS id, connection.name AS detail FROM inventory_run AS run JOIN connection ON connection.id = run.connection_id
WHERE run.state = 'held' ORDER BY run.no LIMIT $1",
    },
    Check {
        name: "status_contradicted",
        what: "a removal counts as proven, and the newest inventory saw the account live after it, without a finding that says so",
        sql: "
SELECT DISTINCT job.id::text AS id, connection.name || ', ' || binding.kind || ' ' || binding.provider_id AS detail
FROM job JOIN opt_out ON opt_out.id = job.opt_out_id JOIN connection ON connection.id = job.connection_id
JOIN binding ON binding.subject_id = job.subject_id AND binding.connection_id = job.connection_id AND binding.state = 'confirmed'
JOIN connection_inventory AS pointer ON pointer.connection_id = job.connection_id
JOIN observed_account AS seen ON seen.run_no = pointer.run_no AND seen.kind = binding.kind AND seen.provider_id = binding.provider_id
WHERE opt_out.kind = 'opt_out' AND opt_out.state IN ('open', 'closed') AND job.state = 'done' AND seen.state = 'live'
  AND seen.seen_at > (SELECT greatest(max(effect.intent_at), max(effect.answered_at), max(step.verified_at))
                      FROM job AS any_job JOIN step ON step.job_id = any_job.id LEFT JOIN effect ON effect.step_id = step.id
                      WHERE any_job.subject_id = job.subject_id AND any_job.connection_id = job.connection_id)
  AND NOT EXISTS (SELECT FROM job AS newer JOIN opt_out AS newer_out ON newer_out.id = newer.opt_out_id
                  WHERE newer.subject_id = job.subject_id AND newer.connection_id = job.connection_id
                    AND (newer.state IN ('waiting', 'running', 'held', 'parked', 'dead') OR newer_out.kind = 'restore'))
  AND NOT EXISTS (SELECT FROM finding WHERE finding.connection_id = job.connection_id AND finding.provider_id = binding.provider_id
                    AND (finding.closed_at IS NULL OR finding.last_seen_at >= seen.seen_at))
LIMIT $1",
    },
    Check {
        name: "exception_run_out",
        what: "an exception's date is over, and nobody ended or renewed it",
        sql: "
SELECT exception.id::text AS id, connection.name || ':' || provider_id || ', until ' || until || ', ' || owner AS detail
FROM exception JOIN connection ON connection.id = exception.connection_id
WHERE ended_at IS NULL AND until <= now() ORDER BY until LIMIT $1",
    },
    Check {
        name: "credential_expires",
        what: "the credential of a connection runs out within two weeks: without it nothing is removed or seen there",
        sql: "
SELECT connection.name AS id, 'until ' || setting.credential_expires_at AS detail
FROM connection JOIN reconcile_setting AS setting ON setting.connection_id = connection.id
WHERE connection.state <> 'closed' AND setting.credential_expires_at < now() + interval '14 days' ORDER BY setting.credential_expires_at LIMIT $1",
    },
    Check {
        name: "token_expires",
        what: "a token of this console runs out within two weeks",
        sql: "
SELECT id::text AS id, name || ', until ' || expires_at AS detail FROM api_token
WHERE revoked_at IS NULL AND expires_at BETWEEN now() AND now() + interval '14 days' ORDER BY expires_at LIMIT $1",
    },
];

/// Runs every check, each with at most [`CONCERNS_MAX`] rows. Reads the newest inventories; give the client a generous statement
/// timeout.
///
/// # Errors
/// As any statement.
pub async fn check(client: &Client) -> Result<Vec<Concern>, StoreError> {
    let mut concerns = Vec::new();
    for check in CHECKS {
        let rows = client
            .query(
                check.sql,
                &[&CONCERNS_MAX],
                "checking Sever's own integrity",
            )
            .await?;
        concerns.extend(rows.iter().map(|row| Concern {
            name: check.name,
            what: check.what,
            id: row.get("id"),
            detail: row.get("detail"),
        }));
    }
    Ok(concerns)
}
