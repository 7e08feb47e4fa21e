//! Several reads in one call (`POST /$batch`, at most twenty), each with its own answer.

use std::collections::HashMap;
use std::time::Duration;

use futures::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};
use sever_domain::OutcomeClass;
use sever_provider::{CallError, Sent};

use crate::errors::{Meaning, Refused, refusal};
use crate::service::inconsistent;
use crate::tenant::{Ask, Tenant};

/// The most reads of one call (JSON batching, "Request format").
const READS_MAX: usize = 20;
/// The longest wait that an inner answer is believed to ask for.
const WAIT_MAX_S: f64 = 900.0;

#[derive(Deserialize)]
struct Responses {
    responses: Vec<Response>,
}

#[derive(Deserialize)]
struct Response {
    id: String,
    status: u16,
    #[serde(default)]
    headers: HashMap<String, String>,
    #[serde(default)]
    body: Value,
}

/// The bodies of these reads, in their order. A server without batches is asked one by one.
///
/// # Errors
/// What stops all of them alike: the network, the rate, the credential.
pub async fn read_all(
    tenant: &Tenant,
    asks: &[Ask],
) -> Result<Vec<Result<Value, Refused>>, CallError> {
    let mut bodies = Vec::with_capacity(asks.len());
    for chunk in asks.chunks(READS_MAX) {
        bodies.extend(read_chunk(tenant, chunk).await?);
    }
    Ok(bodies)
}

async fn read_chunk(
    tenant: &Tenant,
    asks: &[Ask],
) -> Result<Vec<Result<Value, Refused>>, CallError> {
    const DOING: &str = "reading the account in one batch";
    let mut requests = Vec::with_capacity(asks.len());
    for (at, ask) in asks.iter().enumerate() {
        let request =
            json!({ "id": at.to_string(), "method": "GET", "url": relative(tenant, ask)? });
        requests.push(request);
    }
    let reply = match tenant
        .post_batch(DOING, &json!({ "requests": requests }))
        .await
    {
        Ok(reply) => reply,
        Err(refused) if has_no_batches(&refused) => return Ok(one_by_one(tenant, asks).await),
        Err(refused) => {
            // Reads only: whatever became of them, nothing was changed.
            return Err(CallError {
                sent: Sent::NotApplied,
                ..refused.error
            });
        }
    };
    let responses: Responses = reply
        .json()
        .map_err(|_| inconsistent(DOING, "the answer is not that of a batch"))?;
    let mut by_id: HashMap<String, Response> = responses
        .responses
        .into_iter()
        .map(|response| (response.id.clone(), response))
        .collect();
    Ok(asks
        .iter()
        .enumerate()
        .map(|(at, ask)| match by_id.remove(&at.to_string()) {
            Some(response) => inner(ask.doing, response),
            None => Err(inconsistent(ask.doing, "the batch left this read out").into()),
        })
        .collect())
}

fn inner(doing: &'static str, response: Response) -> Result<Value, Refused> {
    let header = |wanted: &str| {
        let mut headers = response.headers.iter();
        headers
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.clone())
    };
    if (200..300).contains(&response.status) {
        return Ok(response.body);
    }
    let mut refused = refusal(doing, response.status, &response.body, header("request-id"));
    if refused.error.class == OutcomeClass::Credentials {
        // The batch itself was let in by the same token: this says nothing of the credential.
        refused.error.class = OutcomeClass::Retry;
        refused.meaning = Meaning::Failed(OutcomeClass::Retry, Sent::NotApplied);
    }
    if response.status == 429
        && let Some(wait) = header("retry-after").and_then(|value| seconds(&value))
    {
        refused.error.class = OutcomeClass::RetryAt;
        refused.error.retry_after = Some(wait);
        refused.meaning = Meaning::Failed(OutcomeClass::RetryAt, Sent::NotApplied);
    }
    if response.status == 401 {
        // The batch itself was taken with this very token: it ended meanwhile, and the credential makes another one.
        refused.error.class = OutcomeClass::Retry;
        refused.meaning = Meaning::Failed(OutcomeClass::Retry, Sent::NotApplied);
    }
    Err(refused)
}

async fn one_by_one(tenant: &Tenant, asks: &[Ask]) -> Vec<Result<Value, Refused>> {
    let read = |ask: &Ask| {
        let ask = ask.clone();
        async move {
            let reply = tenant.get(&ask, None).await?;
            let body = reply.json();
            body.map_err(|_| inconsistent(ask.doing, "the answer is not JSON").into())
        }
    };
    join_all(asks.iter().map(read)).await
}

/// A server that is not Microsoft's may speak Graph without batches.
fn has_no_batches(refused: &Refused) -> bool {
    matches!(refused.error.status, Some(404 | 405 | 501))
}

/// The address below the version, as a batch wants it.
fn relative(tenant: &Tenant, ask: &Ask) -> Result<String, CallError> {
    let url = tenant.url(ask)?;
    let path: Vec<&str> = url.path_segments().into_iter().flatten().collect();
    let own = path[path.len() - ask.path.len()..].join("/");
    Ok(match url.query() {
        Some(query) => format!("/{own}?{query}"),
        None => format!("/{own}"),
    })
}

/// `Retry-After` in seconds, with or without a fraction.
fn seconds(value: &str) -> Option<Duration> {
    let seconds: f64 = value.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds.clamp(1.0, WAIT_MAX_S)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, headers: &[(&str, &str)], body: Value) -> Response {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        Response {
            id: "0".into(),
            status,
            headers: headers.collect(),
            body,
        }
    }

    #[test]
    fn an_inner_429_says_when_to_come_back_or_is_a_plain_retry() {
        let refused = inner(
            "reading",
            response(429, &[("Retry-After", "2.128")], Value::Null),
        )
        .unwrap_err();
        assert_eq!(refused.error.class, OutcomeClass::RetryAt);
        assert_eq!(
            refused.error.retry_after,
            Some(Duration::from_secs_f64(2.128))
        );
        let refused = inner("reading", response(429, &[], Value::Null)).unwrap_err();
        assert_eq!(
            (refused.error.class, refused.error.retry_after),
            (OutcomeClass::Retry, None)
        );
    }

    #[test]
    fn an_inner_401_does_not_speak_for_the_credential() {
        let refused = inner("reading", response(401, &[], Value::Null)).unwrap_err();
        assert_eq!(refused.error.class, OutcomeClass::Retry);
    }

    #[test]
    fn an_inner_refusal_means_what_an_outer_one_does() {
        let body = json!({"error": {"code": "Request_ResourceNotFound"}});
        assert_eq!(
            inner("reading", response(404, &[], body))
                .unwrap_err()
                .meaning,
            Meaning::Gone
        );
        assert_eq!(
            inner("reading", response(200, &[], json!({"id": 1}))).unwrap(),
            json!({"id": 1})
        );
        let ended = inner("reading", response(401, &[], Value::Null)).unwrap_err();
        assert_eq!(
            ended.error.class,
            OutcomeClass::Retry,
            "the batch was taken"
        );
        assert_eq!(seconds("nonsense"), None);
    }
}
