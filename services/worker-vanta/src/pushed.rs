//! What our own connector pushed: the state of its world, which a push replaces whole.
//!
//! A push that is missing rows by accident deletes them, so each one rests on a full read of a moment ago, and its size
//! is compared with what was read.

use serde_json::{Value, json};
use sever_domain::OutcomeClass;
use sever_provider::http::{Method, Priority};
use sever_provider::{Answer, AnswerKind, CallError};
use tokio::time::Instant;

use crate::credential::PushedSet;
use crate::errors::{Refused, inconsistent, unusable};
use crate::tenant::{Api, Ask, Tenant};

/// Members that Vanta adds to a row, and that a push must not carry.
const ADDED: [&str; 1] = ["deletedAt"];

/// A row that is not deleted.
#[derive(Debug, Clone)]
pub struct Row {
    /// `uniqueId`.
    pub unique_id: String,
    /// `email`, where it has one. Personal data: never logged.
    pub email: Option<String>,
    /// `status`.
    pub status: Option<String>,
    value: Value,
}

/// Reads a set whole, without the rows that are marked as deleted.
///
/// # Errors
/// As any read; class `Retry` where a row names no id.
pub async fn read(
    tenant: &Tenant,
    set: &PushedSet,
    until: Option<Instant>,
) -> Result<Vec<Row>, Refused> {
    const DOING: &str = "reading what our connector pushed";
    let ask = Ask {
        doing: DOING,
        family: "resources",
        path: &["resources", &set.kind],
        query: &[("resourceId", &set.resource_id)],
    };
    let reply = tenant.get(Api::Build, ask, until).await?;
    let body: Value = reply
        .json()
        .map_err(|_| inconsistent(DOING, "the answer is not a set of rows"))?;
    let rows = body["resources"]
        .as_array()
        .ok_or_else(|| inconsistent(DOING, "the answer is not a set of rows"))?;
    if [&body["pageInfo"], &body["results"]["pageInfo"]]
        .into_iter()
        .any(|info| info["hasNextPage"] == true)
    {
        let what = "the answer is a part of the set, and a push without the rest would delete it";
        return Err(unusable(DOING, what.to_owned()).into());
    }
    let live = rows.iter().filter(|row| row["deletedAt"].is_null());
    let rows: Option<Vec<Row>> = live.map(row).collect();
    rows.ok_or_else(|| inconsistent(DOING, "a row has no uniqueId").into())
}

fn row(value: &Value) -> Option<Row> {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let mut kept = value.clone();
    if let Some(members) = kept.as_object_mut() {
        ADDED.iter().for_each(|name| {
            members.remove(*name);
        });
    }
    Some(Row {
        unique_id: text("uniqueId")?,
        email: text("email"),
        status: text("status"),
        value: kept,
    })
}

/// What is to go from a set.
#[derive(Debug, Clone, Copy)]
pub enum Goes<'a> {
    /// One row, where at least half of the rows are left that there were when it was planned: a read that shows too few is
    /// not pushed back.
    Row {
        /// Its `uniqueId`.
        id: &'a str,
        /// How many rows there were.
        planned: usize,
    },
    /// Everything, where there are at most so many rows as when it was planned.
    Everything {
        /// How many there were.
        planned: usize,
    },
}

/// Reads the set, takes `goes` out of it and pushes the rest, one at a time in this process.
///
/// # Errors
/// As any write; class `NeedsPerson` where the set has more rows than the plan knew.
pub async fn delete(
    tenant: &Tenant,
    set: &PushedSet,
    goes: Goes<'_>,
    until: Instant,
) -> Result<Answer, CallError> {
    const DOING: &str = "pushing the set without what is to go";
    let _pushing = tenant.pushing.lock().await;
    let rows = read(tenant, set, Some(until))
        .await
        .map_err(|refused| refused.error)?;
    let stay = staying(DOING, &rows, goes)?;
    if stay.len() == rows.len() {
        return Ok(answer(AnswerKind::AlreadyGone, 200));
    }
    let ask = Ask {
        doing: DOING,
        family: "resources",
        path: &["resources", &set.kind],
        query: &[],
    };
    let body = json!({ "resourceId": set.resource_id, "resources": stay });
    let reply = tenant
        .write(
            Api::Build,
            Method::PUT,
            ask,
            &body,
            Priority::Ordinary,
            until,
        )
        .await
        .map_err(|refused| refused.error)?;
    Ok(answer(AnswerKind::Done, reply.status.as_u16()))
}

fn staying<'a>(
    doing: &'static str,
    rows: &'a [Row],
    goes: Goes<'_>,
) -> Result<Vec<&'a Value>, CallError> {
    match goes {
        Goes::Row { planned, .. } if rows.len() * 2 < planned => Err(unusable(
            doing,
            "the set shows less than half of the rows that the plan knew: a push would delete the others; look at the \
                connector, then plan again"
                .to_owned(),
        )),
        Goes::Row { id, .. } => {
            let rows = rows.iter().filter(|row| row.unique_id != id);
            Ok(rows.map(|row| &row.value).collect())
        }
        Goes::Everything { planned } if rows.len() > planned => Err(CallError {
            class: OutcomeClass::NeedsPerson,
            ..unusable(
                doing,
                "the set has grown since the plan was made: stop the connector, then plan again"
                    .to_owned(),
            )
        }),
        Goes::Everything { .. } => Ok(Vec::new()),
    }
}

const fn answer(kind: AnswerKind, status: u16) -> Answer {
    Answer {
        kind,
        status,
        provider_request_id: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize) -> Vec<Row> {
        let values =
            (0..count).map(|n| json!({ "uniqueId": format!("r{n}"), "email": "a@b.test" }));
        values.map(|value| row(&value).unwrap()).collect()
    }

    #[test]
    fn one_row_goes_and_the_others_stay() {
        let rows = rows(3);
        let goes = |id| Goes::Row { id, planned: 3 };
        let stay = staying("pushing", &rows, goes("r1")).unwrap();
        let ids: Vec<&str> = stay
            .iter()
            .map(|row| row["uniqueId"].as_str().unwrap())
            .collect();
        assert_eq!(ids, ["r0", "r2"]);
        assert_eq!(staying("pushing", &rows, goes("r9")).unwrap().len(), 3);
        let many = Goes::Row {
            id: "r1",
            planned: 7,
        };
        let error = staying("pushing", &rows, many).unwrap_err();
        assert_eq!(error.class, OutcomeClass::NeedsPerson);
    }

    #[test]
    fn a_set_that_has_grown_is_not_emptied() {
        let rows = rows(3);
        assert_eq!(
            staying("pushing", &rows, Goes::Everything { planned: 3 })
                .unwrap()
                .len(),
            0
        );
        let error = staying("pushing", &rows, Goes::Everything { planned: 2 }).unwrap_err();
        assert_eq!(error.class, OutcomeClass::NeedsPerson);
    }

    #[test]
    fn what_vanta_adds_is_not_pushed_back() {
        let kept = row(&json!({ "uniqueId": "r", "deletedAt": null, "custom": 1 })).unwrap();
        assert_eq!(kept.value, json!({ "uniqueId": "r", "custom": 1 }));
        assert!(row(&json!({ "email": "a@b.test" })).is_none());
    }
}
