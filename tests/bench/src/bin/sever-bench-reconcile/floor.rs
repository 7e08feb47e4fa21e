//! The floor: a bare COPY of the same rows, and the best plain SQL for the same questions.

use std::time::Instant;

use anyhow::Context as _;
use jiff::Timestamp;
use sever_bench::database::Database;

use crate::world::{CONNECTION, World};

const TABLES: &str = "
DROP TABLE IF EXISTS bare_account, bare_entitlement, bare_drift, bare_hanging;
CREATE UNLOGGED TABLE bare_account (run_no int NOT NULL, kind text NOT NULL, provider_id text NOT NULL, state text NOT NULL,
    login_key bigint, mail_key bigint, name_key bigint, number_key bigint, seen_at timestamptz NOT NULL) WITH (autovacuum_enabled = false);
CREATE UNLOGGED TABLE bare_entitlement (run_no int NOT NULL, account_id text NOT NULL, kind text NOT NULL, provider_key text NOT NULL,
    privileged boolean NOT NULL, seen_at timestamptz NOT NULL) WITH (autovacuum_enabled = false)";

/// As much memory as ours has; plain SQL would be slower with the default.
const SETTINGS: &str = "SET work_mem = '64MB'; SET jit = off; SET statement_timeout = 0";

/// Accounts both ways: what is bound to somebody who left, or to nobody, and what is bound and not there.
const ACCOUNTS: &str = "
CREATE UNLOGGED TABLE bare_drift AS
SELECT provider_id, a.state, b.subject_id, person.id IS NOT NULL AS out
FROM bare_account AS a
FULL JOIN (SELECT provider_id, subject_id FROM binding WHERE connection_id = '{connection}' AND kind = 'account' AND state = 'confirmed') AS b USING (provider_id)
LEFT JOIN (SELECT id FROM person WHERE employment_state = 'left') AS person ON person.id = b.subject_id
WHERE (a.state = 'live' AND (person.id IS NOT NULL OR b.subject_id IS NULL)) OR (person.id IS NULL AND (a.state IS NULL OR a.state = 'deactivated'))";

/// What hangs on nobody and on the disabled, and what live leavers and orphans have.
const ENTITLEMENTS: &str = "
CREATE UNLOGGED TABLE bare_hanging AS
SELECT e.account_id, e.kind, e.provider_key, e.privileged FROM bare_entitlement AS e LEFT JOIN bare_account AS a ON a.provider_id = e.account_id
WHERE a.state IS NULL OR a.state <> 'live';
INSERT INTO bare_hanging
SELECT e.account_id, e.kind, e.provider_key, e.privileged FROM bare_drift AS d JOIN bare_entitlement AS e ON e.account_id = d.provider_id WHERE d.state = 'live'";

/// What the floor took, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Floor {
    pub(crate) copy_s: f64,
    pub(crate) sql_s: f64,
}

impl Floor {
    pub(crate) fn total(&self) -> f64 {
        self.copy_s + self.sql_s
    }
}

/// Loads and compares once, as the owner of the database.
pub(crate) async fn run(database: &Database, world: World) -> anyhow::Result<Floor> {
    database.run(SETTINGS).await?;
    database.run(TABLES).await?;
    let began = Instant::now();
    let now = Timestamp::now();
    database
        .copy_accounts("bare_account", 1, world.observed_accounts(now))
        .await
        .context("copying accounts")?;
    database
        .copy_entitlements("bare_entitlement", 1, world.observed_entitlements(now))
        .await
        .context("copying entitlements")?;
    let copy_s = began.elapsed().as_secs_f64();
    let began = Instant::now();
    database
        .run("ANALYZE bare_account, bare_entitlement")
        .await?;
    database
        .run(&ACCOUNTS.replace("{connection}", CONNECTION))
        .await?;
    database.run(ENTITLEMENTS).await?;
    let sql_s = began.elapsed().as_secs_f64();
    Ok(Floor { copy_s, sql_s })
}
