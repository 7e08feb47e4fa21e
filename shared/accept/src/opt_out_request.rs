//! A request for an opt-out, as an operator or a source sends it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sever_domain::{Intent, SubjectId, Urgency};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::FieldFault;
use crate::json::{canonical_digest, effective, parse_json, text};
use crate::leaver_event::{EXTERNAL_ID_MAX, REASON_MAX};

/// The most connections that one request names.
const SCOPE_MAX: usize = 100;

/// The most characters of a name of a source or a connection.
const NAME_MAX: usize = 63;

/// A request for an opt-out on the wire.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OptOutRequestBody {
    /// The person whose access is to be removed; exactly one of `person` and `integration` is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonRef>,
    /// The name of the integration that is to be disconnected, at every connection where it has an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "crm")]
    pub integration: Option<String>,
    /// `disable`: contain and cut sessions and tokens; `remove`: take everything.
    #[schema(value_type = String, example = "remove")]
    pub intent: Intent,
    /// `"all"` (also where absent), or the names of connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RequestScope>)]
    pub scope: Option<Value>,
    /// `ordinary` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "urgent")]
    pub urgency: Option<Urgency>,
    /// Why, 1 to 500 characters; not personal data.
    #[schema(min_length = 1, max_length = 500, example = "laptop stolen")]
    pub reason: String,
    /// When it takes effect: RFC 3339 with an offset, RFC 9557 with a zone, or a local time with
    /// `time_zone`; now where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-11-30T18:00:00+01:00[Europe/Berlin]")]
    pub effective_at: Option<String>,
    /// An IANA zone, for a local `effective_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Europe/Berlin")]
    pub time_zone: Option<String>,
}

/// A person, by Sever's id or by the id of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonRef {
    /// Sever's own id of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// The name of a source; together with `external_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "hr")]
    pub source: Option<String>,
    /// The source's id of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "E-1007")]
    pub external_id: Option<String>,
}

/// Everything, or the named connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum RequestScope {
    /// The word `all`.
    #[schema(example = "all")]
    All(String),
    /// Names of connections.
    #[schema(example = json!(["okta-main"]))]
    Connections(Vec<String>),
}

/// Whom a request means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// By Sever's id.
    Id(SubjectId),
    /// By the id of a source.
    Key {
        /// The source's name.
        source: String,
        /// Its id of the person.
        external_id: String,
    },
    /// An integration by its name.
    Integration {
        /// The name.
        name: String,
    },
}

/// A request for an opt-out in which nothing is faulty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptOutRequest {
    /// Whose access is to be removed.
    pub whom: Whom,
    /// How far it goes.
    pub intent: Intent,
    /// The names of connections, sorted; `None` for all.
    pub scope: Option<Vec<String>>,
    /// Which queue the work takes.
    pub urgency: Urgency,
    /// Why.
    pub reason: String,
    /// When it takes effect; `None` for now.
    pub effective_at: Option<Timestamp>,
    /// The digest of the body without its layout.
    pub digest: [u8; 32],
}

impl OptOutRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// [`FieldFault`], naming the first field that cannot be taken.
    pub fn parse(bytes: &[u8]) -> Result<Self, FieldFault> {
        let body: OptOutRequestBody = parse_json(bytes)?;
        let effective_at = body
            .effective_at
            .as_deref()
            .map(|time| effective("/effective_at", time, body.time_zone.as_deref()))
            .transpose()?;
        Ok(Self {
            whom: whom(&body)?,
            intent: body.intent,
            scope: scope(body.scope.as_ref())?,
            urgency: body.urgency.unwrap_or(Urgency::Ordinary),
            reason: text("/reason", &body.reason, REASON_MAX)?,
            effective_at,
            digest: canonical_digest(bytes)?,
        })
    }
}

fn whom(body: &OptOutRequestBody) -> Result<Whom, FieldFault> {
    match (&body.person, &body.integration) {
        (Some(person), None) => by_reference(person),
        (None, Some(name)) => Ok(Whom::Integration {
            name: text("/integration", name, NAME_MAX)?,
        }),
        (None, None) => Err(FieldFault::new(
            "/person",
            "is missing, or 'integration' is",
        )),
        (Some(_), Some(_)) => Err(FieldFault::new(
            "/integration",
            "must not be named beside 'person': ask for each by itself",
        )),
    }
}

fn by_reference(person: &PersonRef) -> Result<Whom, FieldFault> {
    match (person.id, &person.source, &person.external_id) {
        (Some(id), None, None) => Ok(Whom::Id(SubjectId(id))),
        (None, Some(source), Some(external_id)) => Ok(Whom::Key {
            source: text("/person/source", source, NAME_MAX)?,
            external_id: text("/person/external_id", external_id, EXTERNAL_ID_MAX)?,
        }),
        (None, Some(_), None) => Err(FieldFault::new(
            "/person/external_id",
            "is missing beside 'source'",
        )),
        (None, None, Some(_)) => Err(FieldFault::new(
            "/person/source",
            "is missing beside 'external_id'",
        )),
        (None, None, None) | (Some(_), _, _) => Err(FieldFault::new(
            "/person",
            "must have either 'id', or 'source' and 'external_id'",
        )),
    }
}

fn scope(scope: Option<&Value>) -> Result<Option<Vec<String>>, FieldFault> {
    const WANTED: &str = "must be \"all\" or a list of names of connections";
    let names = match scope {
        None => return Ok(None),
        Some(Value::String(word)) if word == "all" => return Ok(None),
        Some(Value::Array(names)) if (1..=SCOPE_MAX).contains(&names.len()) => names,
        Some(Value::Array(_)) => {
            return Err(FieldFault::new("/scope", "must have 1 to 100 names"));
        }
        Some(_) => return Err(FieldFault::new("/scope", WANTED)),
    };
    let name = |(index, name): (usize, &Value)| {
        let field = format!("/scope/{index}");
        let name = name.as_str().unwrap_or_default();
        text(&field, name, NAME_MAX)
    };
    let mut names: Vec<String> = names
        .iter()
        .enumerate()
        .map(name)
        .collect::<Result<_, _>>()?;
    names.sort_unstable();
    names.dedup();
    Ok(Some(names))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(value: &Value) -> Result<OptOutRequest, FieldFault> {
        OptOutRequest::parse(value.to_string().as_bytes())
    }

    fn body() -> Value {
        json!({"person": {"source": "hr", "external_id": "E7"}, "intent": "disable", "scope": ["b", "a", "b"], "reason": "asked out"})
    }

    #[test]
    fn a_request_is_read_with_its_defaults() {
        let read = parse(&body()).unwrap();
        assert_eq!(read.scope, Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(
            (read.intent, read.urgency, read.effective_at),
            (Intent::Disable, Urgency::Ordinary, None)
        );
    }

    #[test]
    fn a_request_means_a_person_or_an_integration_and_never_both() {
        let mut body = body();
        body["integration"] = json!("crm");
        assert_eq!(parse(&body).unwrap_err().field, "/integration");
        body.as_object_mut().unwrap().remove("person");
        let named = Whom::Integration {
            name: "crm".to_owned(),
        };
        assert_eq!(parse(&body).unwrap().whom, named);
        body.as_object_mut().unwrap().remove("integration");
        assert_eq!(parse(&body).unwrap_err().field, "/person");
    }

    #[test]
    fn each_fault_names_its_field() {
        for (pointer, wrong, field) in [
            ("/intent", json!("delete"), "/intent"),
            ("/scope", json!("some"), "/scope"),
            ("/scope", json!([]), "/scope"),
            ("/scope", json!(["a", 7]), "/scope/1"),
            ("/reason", json!(""), "/reason"),
            ("/person", json!({}), "/person"),
            ("/person", json!({"id": "7"}), "/person/id"),
            ("/person", json!({"source": "hr"}), "/person/external_id"),
            ("/person", json!({"email": "a@b"}), "/person/email"),
            ("/person", json!(null), "/person"),
        ] {
            let mut body = body();
            *body.pointer_mut(pointer).unwrap() = wrong;
            let fault = parse(&body).unwrap_err();
            assert_eq!(fault.field, field, "{fault}");
        }
        let mut unknown = body();
        unknown["efective_at"] = json!("2026-11-22T18:00:00Z");
        assert_eq!(parse(&unknown).unwrap_err().field, "/efective_at");
        let mut unzoned = body();
        unzoned["effective_at"] = json!("2026-11-22T18:00:00");
        assert_eq!(parse(&unzoned).unwrap_err().field, "/effective_at");
    }
}
