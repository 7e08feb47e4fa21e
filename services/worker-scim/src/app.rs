//! One SCIM application as it is called.

use reqwest::header::HeaderValue;
use serde_json::Value;
use sever_provider::http::{Call, Method, Priority, ProviderHttp, Reply};
use sever_provider::{Answer, AnswerKind, CallError};
pub use sever_provider::{inconsistent, unusable};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::credential::FinalState;
use crate::dialects::Dialects;
use crate::document::Document;
use crate::errors::{Meaning, refusal};

/// What a server must take (RFC 7644 section 3.1).
const MEDIA_TYPE: &str = "application/scim+json";
/// What it should take besides; some know nothing else.
const PLAIN_MEDIA_TYPE: &str = "application/json";
/// A server need not answer those who accept plain JSON only.
const ACCEPT: &str = "application/scim+json, application/json;q=0.9";

/// A family of endpoints: the metric label, and the buckets of its rate.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    family: &'static str,
    read_bucket: &'static str,
    write_bucket: &'static str,
}

/// Users.
pub const USERS: Endpoint = Endpoint {
    family: "users",
    read_bucket: "read users",
    write_bucket: "write users",
};
/// Groups.
pub const GROUPS: Endpoint = Endpoint {
    family: "groups",
    read_bucket: "read groups",
    write_bucket: "write groups",
};
/// What an application says of itself.
pub const DISCOVERY: Endpoint = Endpoint {
    family: "discovery",
    read_bucket: "read discovery",
    write_bucket: "write discovery",
};

/// One application.
#[derive(Debug)]
pub struct App {
    /// The policy under which it is called.
    pub http: ProviderHttp,
    /// Who calls.
    pub authorization: HeaderValue,
    /// In which state a removal leaves an account.
    pub final_state: FinalState,
    /// Whether members may be written as a whole list without a version.
    pub replaces_members: bool,
    /// What it was found to take.
    pub dialects: Dialects,
    /// Held from a read to the write that rests on it, so that two steps of ours do not undo each other.
    pub one_writer: Mutex<()>,
}

/// One call.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// What is being done, for errors.
    pub doing: &'static str,
    /// Its endpoint family.
    pub endpoint: Endpoint,
    /// The path below the base.
    pub path: &'a [&'a str],
    /// The query.
    pub query: &'a [(&'a str, &'a str)],
}

/// One write to one resource.
#[derive(Debug)]
pub struct Write<'a> {
    /// What is being done, for errors.
    pub doing: &'static str,
    /// The method.
    pub method: Method,
    /// The resource's id.
    pub id: &'a str,
    /// JSON; none for DELETE.
    pub json: Option<Value>,
    /// The version that it rests on, for `If-Match`.
    pub version: Option<String>,
}

impl App {
    /// Reads one answer: a success, or what it means instead.
    ///
    /// # Errors
    /// The meaning and the error to hand on where it is no success, or nothing came at all.
    pub async fn get(&self, ask: Ask<'_>, until: Option<Instant>) -> Result<Reply, Refused> {
        let call = self.call(ask, Method::GET, ask.endpoint.read_bucket)?;
        self.send(call.until(until)).await
    }

    /// As [`Self::get`], of one document.
    ///
    /// # Errors
    /// As [`Self::get`]; a body that is no JSON object.
    pub async fn document(
        &self,
        ask: Ask<'_>,
        until: Option<Instant>,
    ) -> Result<(Document, Reply), Refused> {
        let reply = self.get(ask, until).await?;
        match reply.json().ok().and_then(Document::of) {
            Some(document) => Ok((document, reply)),
            None => Err(no_scim(ask.doing, &reply).into()),
        }
    }

    /// Sends one write to a user.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn write_user(&self, write: Write<'_>, until: Instant) -> Result<Reply, Refused> {
        self.write(USERS, "Users", write, Priority::Containing, until)
            .await
    }

    /// Sends one write to a group.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn write_group(&self, write: Write<'_>, until: Instant) -> Result<Reply, Refused> {
        self.write(GROUPS, "Groups", write, Priority::Ordinary, until)
            .await
    }

    async fn write(
        &self,
        endpoint: Endpoint,
        collection: &str,
        write: Write<'_>,
        priority: Priority,
        until: Instant,
    ) -> Result<Reply, Refused> {
        let ask = Ask {
            doing: write.doing,
            endpoint,
            path: &[collection, write.id],
            query: &[],
        };
        let mut call = self.call(ask, write.method, endpoint.write_bucket)?;
        call.body = write.json.map(|json| (self.media_type(), json.to_string()));
        call.if_match = write
            .version
            .and_then(|version| HeaderValue::from_str(&version).ok());
        let call = call.with_priority(priority).until(Some(until));
        let (again, unversioned) = (call.clone(), call.if_match.is_none());
        let sent = match self.send(call).await {
            Err(refused) if self.learns_media_type(&refused) => {
                let body = again.body.map(|(_, json)| (PLAIN_MEDIA_TYPE, json));
                self.send(Call { body, ..again }).await
            }
            sent => sent,
        };
        sent.map_err(|refused| match refused.error.status {
            // It wants the version that another form carries.
            Some(412) if unversioned => refused.into_wrong_form(),
            _ => refused,
        })
    }

    fn media_type(&self) -> &'static str {
        match self.dialects.plain_json.is_known() {
            true => PLAIN_MEDIA_TYPE,
            false => MEDIA_TYPE,
        }
    }

    /// Whether a refusal is of the media type, and is the first of this application.
    fn learns_media_type(&self, refused: &Refused) -> bool {
        let first = refused.error.status == Some(415) && !self.dialects.plain_json.is_known();
        if first {
            self.dialects.plain_json.learn();
        }
        first
    }

    fn call(
        &self,
        ask: Ask<'_>,
        method: Method,
        bucket: &'static str,
    ) -> Result<Call<'_>, Refused> {
        let mut url = self
            .http
            .base()
            .join(ask.path)
            .map_err(|cause| unusable(ask.doing, cause.to_string()))?;
        if !ask.query.is_empty() {
            // Not form-encoded: a `+` for a blank is not understood everywhere, `%20` is.
            let pairs: Vec<String> = ask
                .query
                .iter()
                .map(|(name, value)| format!("{name}={}", percent_encoded(value)))
                .collect();
            url.set_query(Some(&pairs.join("&")));
        }
        let call = Call::new(ask.doing, ask.endpoint.family, bucket, method, url);
        Ok(Call {
            accept: ACCEPT,
            ..call
        })
    }

    async fn send(&self, call: Call<'_>) -> Result<Reply, Refused> {
        let doing = call.doing;
        let reply = self.http.send(call.authorized(&self.authorization)).await?;
        if reply.status.is_success() {
            return Ok(reply);
        }
        let (meaning, error) = refusal(doing, &reply, self.http.request_id_of(&reply));
        Err(Refused { meaning, error })
    }

    /// The answer of a write that this reply stands for.
    #[must_use]
    pub fn done(&self, reply: &Reply) -> Answer {
        Answer {
            kind: AnswerKind::Done,
            status: reply.status.as_u16(),
            provider_request_id: self.http.request_id_of(reply),
        }
    }
}

/// A call that gave no success: what it means, and the error to hand on.
#[derive(Debug)]
pub struct Refused {
    /// What the answer means; `Failed` where there was none.
    pub meaning: Meaning,
    /// The error.
    pub error: CallError,
}

impl Refused {
    /// It was so already.
    #[must_use]
    pub fn already(self) -> Answer {
        Answer {
            kind: AnswerKind::AlreadyGone,
            status: self.error.status.unwrap_or_default(),
            provider_request_id: self.error.provider_request_id,
        }
    }
}

impl Refused {
    /// The same answer, taken to mean that another form may work.
    fn into_wrong_form(self) -> Self {
        let (class, sent) = Meaning::WrongForm.as_failure();
        Self {
            meaning: Meaning::WrongForm,
            error: CallError {
                class,
                sent,
                ..self.error
            },
        }
    }
}

impl From<CallError> for Refused {
    fn from(error: CallError) -> Self {
        Self {
            meaning: Meaning::Failed(error.class, error.sent),
            error,
        }
    }
}

/// A success whose body is no SCIM: a page of a sign-in form is a wrong address, anything else may pass.
#[must_use]
pub fn no_scim(doing: &'static str, reply: &Reply) -> CallError {
    let is_page = reply
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("text/html"));
    if is_page {
        return unusable(
            doing,
            "the answer is a web page, not SCIM; check the connection's base URL".to_owned(),
        );
    }
    inconsistent(doing, "the answer is not a SCIM document")
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_query_is_left_to_interpretation() {
        assert_eq!(
            percent_encoded("userName eq \"a+b@x\""),
            "userName%20eq%20%22a%2Bb%40x%22"
        );
        assert_eq!(percent_encoded("é"), "%C3%A9");
    }
}
