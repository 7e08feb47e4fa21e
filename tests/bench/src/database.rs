//! PostgreSQL, as the driver looks at it. The bare program's own statements are beside it in `rows`.

mod observed;
mod rows;

pub use observed::Inventory;
pub use rows::{BareOptOut, Rows};

use anyhow::Context as _;
use tokio_postgres::{Client, NoTls, Row};

/// One connection.
pub struct Database {
    client: Client,
}

/// When one opt-out was accepted and verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptOutTimes {
    /// The number of the person.
    pub person: usize,
    /// The accepting transaction's time, in microseconds of the wall clock.
    pub accepted_us: i64,
    /// The settling transaction's time, in microseconds of the wall clock.
    pub verified_us: i64,
}

/// How far the opt-outs accepted since an instant are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Jobs that are done.
    pub done: i64,
    /// Jobs that a person would have to look at: the benchmark has none.
    pub stuck: i64,
    /// From the first acceptance to the last settle, in seconds.
    pub seconds: f64,
}

const NOW: &str = "SELECT extract(epoch FROM clock_timestamp())::float8";

const COMMITS: &str = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";

const PROGRESS: &str = "
SELECT count(*) FILTER (WHERE state = 'done') AS done, count(*) FILTER (WHERE state IN ('held', 'parked', 'dead')) AS stuck,
       coalesce(extract(epoch FROM max(settled_at) - min(accepted_at)), 0)::float8 AS seconds
FROM job WHERE accepted_at >= to_timestamp($1)";

const OPEN: &str = "SELECT count(*) FROM opt_out WHERE state = 'open'";

const TIMES: &str = "
SELECT right(binding.provider_id, 12)::int8 AS person, (extract(epoch FROM request.received_at) * 1000000)::int8 AS accepted,
       (extract(epoch FROM job.settled_at) * 1000000)::int8 AS verified
FROM job JOIN request USING (opt_out_id) JOIN binding ON binding.subject_id = job.subject_id
WHERE job.accepted_at >= to_timestamp($1) AND job.state = 'done' ORDER BY job.accepted_at";

const ROWS: &str = "
SELECT relname::text AS name, n_tup_ins AS inserted, n_tup_upd AS updated, n_tup_hot_upd AS hot, n_tup_del AS deleted,
       seq_scan AS scans, seq_tup_read AS scanned
FROM pg_stat_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 ORDER BY n_tup_ins + n_tup_upd DESC";

/// The tables that an opt-out writes, of which the widths are compared.
const TABLES: [&str; 15] = [
    "request",
    "opt_out",
    "job",
    "attempt",
    "inspection",
    "inspection_family",
    "entitlement",
    "plan",
    "step",
    "step_need",
    "effect",
    "verification",
    "guard_charge",
    "binding",
    "audit_event",
];

const STATEMENTS: &str = "
SELECT calls, total_exec_time AS total_ms, mean_exec_time * 1000 AS mean_us, rows, shared_blks_hit AS hits, wal_bytes::float8 AS wal,
       left(regexp_replace(query, '\\s+', ' ', 'g'), 110) AS query
FROM pg_stat_statements JOIN pg_database ON pg_database.oid = dbid
WHERE datname = current_database() ORDER BY total_exec_time DESC LIMIT 40";

impl Database {
    /// Connects.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls)
            .await
            .context("connecting to PostgreSQL")?;
        // It ends when the client is dropped; a statement on a broken connection says so itself.
        tokio::spawn(connection);
        Ok(Self { client })
    }

    /// Runs statements that return nothing, each a transaction of its own where it is alone.
    ///
    /// # Errors
    /// As PostgreSQL says.
    pub async fn run(&self, sql: &str) -> anyhow::Result<()> {
        self.client
            .batch_execute(sql)
            .await
            .with_context(|| format!("running {sql}"))
    }

    /// The database's clock, in seconds.
    ///
    /// # Errors
    /// As PostgreSQL says.
    pub async fn now(&self) -> anyhow::Result<f64> {
        Ok(self.one(NOW, &[]).await?.get(0))
    }

    /// Commits of this database since its statistics began.
    ///
    /// # Errors
    /// As PostgreSQL says.
    pub async fn commits(&self) -> anyhow::Result<i64> {
        Ok(self.one(COMMITS, &[]).await?.get(0))
    }

    /// How far the opt-outs accepted since `since` (seconds) are.
    ///
    /// # Errors
    /// As PostgreSQL says.
    pub async fn progress(&self, since: f64) -> anyhow::Result<Progress> {
        let row = self.one(PROGRESS, &[&since]).await?;
        Ok(Progress {
            done: row.get("done"),
            stuck: row.get("stuck"),
            seconds: row.get("seconds"),
        })
    }

    /// Opt-outs that are open.
    ///
    /// # Errors
    /// As PostgreSQL says.
    pub async fn open_opt_outs(&self) -> anyhow::Result<i64> {
        Ok(self.one(OPEN, &[]).await?.get(0))
    }

    /// The times of the opt-outs accepted since `since` (seconds).
    ///
    /// # Errors
    /// As PostgreSQL says.
    pub async fn times(&self, since: f64) -> anyhow::Result<Vec<OptOutTimes>> {
        let rows = self
            .client
            .query(TIMES, &[&since])
            .await
            .context("reading the times of opt-outs")?;
        let times = |row: &Row| OptOutTimes {
            person: usize::try_from(row.get::<_, i64>("person")).unwrap_or(usize::MAX),
            accepted_us: row.get("accepted"),
            verified_us: row.get("verified"),
        };
        Ok(rows.iter().map(times).collect())
    }

    /// A table of the rows written so far, for people.
    ///
    /// # Errors
    /// As PostgreSQL says.
    pub async fn rows_written(&self) -> anyhow::Result<String> {
        let rows = self
            .client
            .query(ROWS, &[])
            .await
            .context("reading the statistics of tables")?;
        let line = |row: &Row| {
            let count = |name: &str| row.get::<_, i64>(name);
            format!(
                "{:>9} inserted {:>9} updated ({:>9} hot) {:>9} deleted {:>9} sequential scans of {:>11} rows  {}",
                count("inserted"),
                count("updated"),
                count("hot"),
                count("deleted"),
                count("scans"),
                count("scanned"),
                row.get::<_, String>("name")
            )
        };
        Ok(rows.iter().map(line).collect::<Vec<_>>().join("\n"))
    }

    /// The average width of a row in each table that an opt-out writes, in bytes, and the number of rows.
    ///
    /// # Errors
    /// As PostgreSQL says.
    pub async fn widths(&self) -> anyhow::Result<String> {
        let mut lines = Vec::with_capacity(TABLES.len());
        for table in TABLES {
            let sql = format!(
                "SELECT count(*), coalesce(avg(pg_column_size(t.*)), 0)::float8 FROM {table} AS t"
            );
            let row = self.one(&sql, &[]).await?;
            let (rows, bytes): (i64, f64) = (row.get(0), row.get(1));
            lines.push(format!("{rows:>9} rows of {bytes:>6.0} bytes  {table}"));
        }
        Ok(lines.join("\n"))
    }

    /// A table of the statements that took longest, for people; needs `pg_stat_statements`.
    ///
    /// # Errors
    /// As PostgreSQL says.
    pub async fn costly_statements(&self) -> anyhow::Result<String> {
        let rows = self
            .client
            .query(STATEMENTS, &[])
            .await
            .context("reading the statistics of statements")?;
        let line = |row: &Row| {
            format!(
                "{:>8} calls {:>9.1} ms {:>8.1} us each {:>8} rows {:>10.0} WAL bytes  {}",
                row.get::<_, i64>("calls"),
                row.get::<_, f64>("total_ms"),
                row.get::<_, f64>("mean_us"),
                row.get::<_, i64>("rows"),
                row.get::<_, f64>("wal"),
                row.get::<_, String>("query")
            )
        };
        Ok(rows.iter().map(line).collect::<Vec<_>>().join("\n"))
    }

    async fn one(
        &self,
        sql: &str,
        values: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> anyhow::Result<Row> {
        self.client
            .query_one(sql, values)
            .await
            .with_context(|| format!("reading {sql}"))
    }
}
