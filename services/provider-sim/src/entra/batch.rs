//! `$batch`: up to twenty calls in one, each answered by itself (JSON batching).

use bytes::Bytes;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};

use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::pipeline::Passage;
use crate::entra::state::Tenant;
use crate::exchange::{Outcome, Reply};

/// More calls than this are refused.
const CALLS_MAX: usize = 20;

/// One call of a batch.
struct Inner {
    id: String,
    depends_on: Vec<String>,
    call: Call,
}

/// Refuses a batch that is not well formed; the calls in it come after.
pub fn check(_: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    inner_calls(call).map(|_| Reply::empty(200).unchanged())
}

/// Makes the calls of a batch, in order, and gathers the answers. Answers need not come in the order of the calls.
pub async fn serve(passage: &Passage<'_>, call: &Call) -> Outcome {
    let calls = match inner_calls(call) {
        Ok(calls) => calls,
        Err(_) => return Reply::empty(400).into(),
    };
    let mut responses: Vec<Value> = Vec::with_capacity(calls.len());
    let mut failed: Vec<String> = Vec::new();
    for inner in calls {
        let blocked = inner.depends_on.iter().any(|id| failed.contains(id));
        let reply = if blocked {
            let body = json!({ "error": { "code": "FailedDependency", "message": "A call that this one depends on failed." } });
            Reply::json(424, &body)
        } else {
            match passage.run_inner(inner.call).await {
                Outcome::Answer(reply, _) => reply,
                Outcome::Cut => return Outcome::Cut,
            }
        };
        if reply.status >= 400 {
            failed.push(inner.id.clone());
        }
        responses.push(shown(&inner.id, &reply));
    }
    responses.reverse();
    Reply::json(200, &json!({ "responses": responses })).into()
}

fn inner_calls(call: &Call) -> Result<Vec<Inner>, ApiError> {
    let malformed = |message: &str| ApiError::new(400, "BadRequest", message);
    let body = call.json()?;
    let requests = body.get("requests").and_then(Value::as_array);
    let requests = requests.ok_or_else(|| malformed("Invalid batch payload format."))?;
    if requests.is_empty() || requests.len() > CALLS_MAX {
        let message = "Number of batch request steps exceeds the maximum value of 20.";
        return Err(ApiError::new(400, "MaximumValueExceeded", message));
    }
    let mut calls: Vec<Inner> = Vec::new();
    for request in requests {
        let inner = inner_call(call, request).ok_or_else(|| {
            malformed(
                "A request of the batch lacks id, method or url, or a Content-Type for its body.",
            )
        })?;
        if calls.iter().any(|earlier| earlier.id == inner.id) {
            return Err(malformed("Request Id has to be unique in a batch."));
        }
        let known = |id: &String| calls.iter().any(|earlier| earlier.id == *id);
        if !inner.depends_on.iter().all(known) {
            return Err(malformed(
                "A request depends on one that does not precede it.",
            ));
        }
        calls.push(inner);
    }
    Ok(calls)
}

fn inner_call(outer: &Call, request: &Value) -> Option<Inner> {
    let text = |name: &str| request[name].as_str();
    let mut headers = HeaderMap::new();
    if let Some(token) = outer.headers.get(AUTHORIZATION) {
        headers.insert(AUTHORIZATION, token.clone());
    }
    for (name, value) in request["headers"].as_object().unwrap_or(&Map::new()) {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let value = HeaderValue::from_str(value.as_str()?).ok()?;
        headers.insert(name, value);
    }
    let body = match &request["body"] {
        Value::Null => Bytes::new(),
        _ if !headers.contains_key("content-type") => return None,
        body => Bytes::from(body.to_string()),
    };
    let depends_on = request["dependsOn"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    Some(Inner {
        id: text("id")?.to_owned(),
        depends_on: depends_on
            .iter()
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect(),
        call: outer.inner(text("method")?, text("url")?, headers, body),
    })
}

fn shown(id: &str, reply: &Reply) -> Value {
    let headers: Map<String, Value> = reply
        .headers
        .iter()
        .filter_map(|(name, value)| Some((canonical(name.as_str()), json!(value.to_str().ok()?))))
        .collect();
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
    let mut shown = json!({ "id": id, "status": reply.status, "headers": headers });
    if !body.is_null() {
        shown["body"] = body;
    }
    shown
}

/// `retry-after` as `Retry-After`: inner headers keep the case in which the service writes them.
fn canonical(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect::<Vec<_>>().join("-")
}
