//! Integrations as they are shown to operators.

use jiff::Timestamp;
use sever_domain::SubjectId;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::Client;

/// The most integrations that one list holds.
pub const LIST_MAX: i64 = 10_000;

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "
SELECT integration.id, integration.name, vendor, owner, integration.created_at, updated_at,
       ARRAY(SELECT DISTINCT connection.name FROM binding JOIN connection ON connection.id = binding.connection_id
             WHERE binding.subject_id = integration.id AND binding.state <> 'refuted' ORDER BY 1) AS connections
FROM integration ",
            $tail
        )
    };
}

const LIST: &str = select!("ORDER BY integration.name LIMIT $1");
const FIND_BY_NAME: &str = select!("WHERE integration.name = $1");
const FIND_BY_ID: &str = select!("WHERE integration.id = $1");

/// An integration in the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegrationRow {
    /// The subject id, under which audit events and logs name it.
    pub id: SubjectId,
    /// Its name.
    pub name: String,
    /// Who makes it; empty where nobody said.
    pub vendor: String,
    /// The role that answers for it.
    pub owner: String,
    /// The names of the connections where it has an id.
    pub connections: Vec<String>,
    /// When it was first applied.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// All integrations by name, at most [`LIST_MAX`].
///
/// # Errors
/// As any statement.
pub async fn list(client: &Client) -> Result<Vec<IntegrationRow>, StoreError> {
    let rows = client
        .query(LIST, &[&LIST_MAX], "listing integrations")
        .await?;
    Ok(rows.iter().map(row_of).collect())
}

/// One integration by its name or its id; `None` where there is none.
///
/// # Errors
/// As any statement.
pub async fn find(client: &Client, named: &str) -> Result<Option<IntegrationRow>, StoreError> {
    let doing = "reading an integration";
    let by_name = client.query_opt(FIND_BY_NAME, &[&named], doing).await?;
    let row = match (by_name, named.parse::<Uuid>()) {
        (Some(row), _) => Some(row),
        (None, Ok(id)) => client.query_opt(FIND_BY_ID, &[&id], doing).await?,
        (None, Err(_)) => None,
    };
    Ok(row.as_ref().map(row_of))
}

fn row_of(row: &Row) -> IntegrationRow {
    IntegrationRow {
        id: SubjectId(row.get("id")),
        name: row.get("name"),
        vendor: row.get("vendor"),
        owner: row.get("owner"),
        connections: row.get("connections"),
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
    }
}
