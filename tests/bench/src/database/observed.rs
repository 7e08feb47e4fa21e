//! A bare COPY of observed rows, in one stream for each table.

use anyhow::Context as _;
use sever_store::inventory::{ObservedAccount, ObservedEntitlement};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;

use super::Database;

const NEWEST: &str = "
SELECT state, accounts + entitlements AS rows, coalesce(extract(epoch FROM loaded_at - started_at), 0)::float8 AS read,
       coalesce(extract(epoch FROM ended_at - loaded_at), 0)::float8 AS compared
FROM inventory_run ORDER BY no DESC LIMIT 1";

/// The newest inventory.
#[derive(Debug, Clone, PartialEq)]
pub struct Inventory {
    /// How far it is.
    pub state: String,
    /// Accounts and entitlements.
    pub rows: i64,
    /// From the claim to the last row, in seconds.
    pub read_s: f64,
    /// From the last row to its end, in seconds.
    pub compare_s: f64,
}

impl Database {
    /// The newest inventory; `None` where there is none.
    ///
    /// # Errors
    /// As PostgreSQL says.
    pub async fn newest_inventory(&self) -> anyhow::Result<Option<Inventory>> {
        let row = self.client.query_opt(NEWEST, &[]).await?;
        Ok(row.map(|row| Inventory {
            state: row.get("state"),
            rows: row.get("rows"),
            read_s: row.get("read"),
            compare_s: row.get("compared"),
        }))
    }

    /// Copies accounts into a table.
    ///
    /// # Errors
    /// As PostgreSQL says.
    pub async fn copy_accounts(
        &self,
        table: &str,
        no: i32,
        rows: impl Iterator<Item = ObservedAccount>,
    ) -> anyhow::Result<u64> {
        const TYPES: [Type; 9] = [
            Type::INT4,
            Type::TEXT,
            Type::TEXT,
            Type::TEXT,
            Type::INT8,
            Type::INT8,
            Type::INT8,
            Type::INT8,
            Type::TIMESTAMPTZ,
        ];
        let mut copy = Box::pin(self.copy(table, &TYPES).await?);
        for row in rows {
            let keys = &row.keys;
            copy.as_mut()
                .write(&[
                    &no,
                    &row.kind.as_str(),
                    &row.provider_id,
                    &row.state.as_str(),
                    &keys.login,
                    &keys.mail,
                    &keys.name,
                    &keys.number,
                    &row.seen_at,
                ])
                .await?;
        }
        Ok(copy.as_mut().finish().await?)
    }

    /// Copies entitlements into a table.
    ///
    /// # Errors
    /// As PostgreSQL says.
    pub async fn copy_entitlements(
        &self,
        table: &str,
        no: i32,
        rows: impl Iterator<Item = ObservedEntitlement>,
    ) -> anyhow::Result<u64> {
        const TYPES: [Type; 6] = [
            Type::INT4,
            Type::TEXT,
            Type::TEXT,
            Type::TEXT,
            Type::BOOL,
            Type::TIMESTAMPTZ,
        ];
        let mut copy = Box::pin(self.copy(table, &TYPES).await?);
        for row in rows {
            copy.as_mut()
                .write(&[
                    &no,
                    &row.account_id,
                    &row.kind.as_str(),
                    &row.provider_key,
                    &row.privileged,
                    &row.seen_at,
                ])
                .await?;
        }
        Ok(copy.as_mut().finish().await?)
    }

    async fn copy(&self, table: &str, types: &[Type]) -> anyhow::Result<BinaryCopyInWriter> {
        let sql = format!("COPY {table} FROM STDIN (FORMAT binary)");
        let sink = self
            .client
            .copy_in(&sql)
            .await
            .with_context(|| format!("running {sql}"))?;
        Ok(BinaryCopyInWriter::new(sink, types))
    }
}
