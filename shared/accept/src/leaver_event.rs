//! Employment events as CloudEvents 1.0 in JSON structured mode.
//!
//! The envelope is read as the specification says (unknown attributes are extensions and tolerated);
//! the data is ours. One event of each type is in the examples of the intake service.

use jiff::Timestamp;
use sever_domain::Urgency;
use sever_domain::employment::EmploymentEventKind;

use crate::error::FieldFault;
use crate::json::{canonical_digest, effective, parse_json, text};
use crate::leaver_event_body::{LeaverData, LeaverEventBody};

/// The largest body, in bytes.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// The most characters of the `source` and of the `id` of an event.
const NAME_MAX: usize = 255;

/// The most characters of a person's id at its source.
pub(crate) const EXTERNAL_ID_MAX: usize = 256;

/// The most characters of an e-mail (RFC 5321 section 4.5.3.1).
const EMAIL_MAX: usize = 254;

/// The most characters of a reason.
pub(crate) const REASON_MAX: usize = 500;

/// The types of events that are understood.
const TYPES: [(&str, EmploymentEventKind); 4] = [
    ("sever.employment.leaver.v1", EmploymentEventKind::Leaver),
    ("sever.employment.rehired.v1", EmploymentEventKind::Rehired),
    (
        "sever.employment.leave-cancelled.v1",
        EmploymentEventKind::LeaveCancelled,
    ),
    (
        "sever.employment.last-day-changed.v1",
        EmploymentEventKind::LastDayChanged,
    ),
];

/// An employment event in which nothing is faulty. Holds personal data: never logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaverEvent {
    /// CloudEvents `source` and `id`, by which a repeated event is known.
    pub key: String,
    /// What happened.
    pub kind: EmploymentEventKind,
    /// When it happened at the source.
    pub occurred_at: Option<Timestamp>,
    /// The source's own id of the person.
    pub external_id: String,
    /// An e-mail of the person.
    pub email: Option<String>,
    /// The source's version of the employment.
    pub employment_version: i64,
    /// When access ends; always there for a leaver.
    pub effective_at: Option<Timestamp>,
    /// Which queue the work takes.
    pub urgency: Urgency,
    /// Why; empty where nobody said so.
    pub reason: String,
    /// The digest of the event without its layout.
    pub digest: [u8; 32],
}

impl LeaverEvent {
    /// Reads an event from a body of at most [`BODY_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// [`FieldFault`], naming the first field that cannot be taken.
    pub fn parse(bytes: &[u8]) -> Result<Self, FieldFault> {
        if bytes.len() > BODY_BYTES_MAX {
            return Err(FieldFault::new("", "is larger than 256 KiB"));
        }
        let body: LeaverEventBody = parse_json(bytes)?;
        let kind = kind_of(&body)?;
        let data = &body.data;
        Ok(Self {
            key: key_of(&body)?,
            kind,
            occurred_at: body.time.as_deref().map(occurred_at).transpose()?,
            external_id: text(
                "/data/person/external_id",
                &data.person.external_id,
                EXTERNAL_ID_MAX,
            )?,
            email: data.person.email.as_deref().map(email).transpose()?,
            employment_version: version(data.employment_version)?,
            effective_at: effective_at(kind, data)?,
            urgency: data.urgency.unwrap_or(Urgency::Ordinary),
            reason: match data.reason.as_deref() {
                None | Some("") => String::new(),
                Some(reason) => text("/data/reason", reason, REASON_MAX)?,
            },
            digest: canonical_digest(bytes)?,
        })
    }
}

fn kind_of(body: &LeaverEventBody) -> Result<EmploymentEventKind, FieldFault> {
    if body.specversion != "1.0" {
        return Err(FieldFault::new("/specversion", "must be 1.0"));
    }
    let json = |media: &str| media.starts_with("application/") && media.contains("json");
    if body
        .datacontenttype
        .as_deref()
        .is_some_and(|media| !json(media))
    {
        return Err(FieldFault::new(
            "/datacontenttype",
            "must be application/json",
        ));
    }
    let known = TYPES.iter().find(|(word, _)| *word == body.r#type);
    known.map(|(_, kind)| *kind).ok_or_else(|| {
        let words: Vec<&str> = TYPES.iter().map(|(word, _)| *word).collect();
        FieldFault::new("/type", format!("must be one of: {}", words.join(", ")))
    })
}

/// A URI reference has no blank, so the first blank of the key ends the source (RFC 3986 section 2).
fn key_of(body: &LeaverEventBody) -> Result<String, FieldFault> {
    let source = text("/source", &body.source, NAME_MAX)?;
    if source.contains(char::is_whitespace) {
        return Err(FieldFault::new("/source", "must be a URI reference"));
    }
    Ok(format!("{source} {}", text("/id", &body.id, NAME_MAX)?))
}

fn occurred_at(time: &str) -> Result<Timestamp, FieldFault> {
    time.parse().map_err(|_| {
        FieldFault::new(
            "/time",
            "must be an RFC 3339 date and time with an offset, such as 2026-11-22T09:30:00Z",
        )
    })
}

fn email(email: &str) -> Result<String, FieldFault> {
    let email = text("/data/person/email", email.trim(), EMAIL_MAX)?;
    if email.contains('@') {
        Ok(email)
    } else {
        Err(FieldFault::new("/data/person/email", "must be an e-mail"))
    }
}

fn version(version: i64) -> Result<i64, FieldFault> {
    if version >= 1 {
        Ok(version)
    } else {
        Err(FieldFault::new(
            "/data/employment_version",
            "must be at least 1",
        ))
    }
}

fn effective_at(
    kind: EmploymentEventKind,
    data: &LeaverData,
) -> Result<Option<Timestamp>, FieldFault> {
    const FIELD: &str = "/data/effective_at";
    let required = matches!(
        kind,
        EmploymentEventKind::Leaver | EmploymentEventKind::LastDayChanged
    );
    match data.effective_at.as_deref() {
        Some(time) => effective(FIELD, time, data.time_zone.as_deref()).map(Some),
        None if required => Err(FieldFault::new(FIELD, "is missing")),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event() -> Value {
        json!({
            "specversion": "1.0", "id": "e-1", "source": "https://hr.example", "type": "sever.employment.leaver.v1",
            "time": "2026-11-22T09:30:00Z", "traceparent": "an extension",
            "data": {
                "person": {"external_id": "E7", "email": " Ada@Example.test "}, "employment_version": 3,
                "effective_at": "2026-11-22T18:00:00", "time_zone": "Europe/Berlin",
            },
        })
    }

    fn parse(value: &Value) -> Result<LeaverEvent, FieldFault> {
        LeaverEvent::parse(value.to_string().as_bytes())
    }

    #[test]
    fn an_event_is_read_with_its_zone_and_defaults() {
        let read = parse(&event()).unwrap();
        assert_eq!(read.key, "https://hr.example e-1");
        assert_eq!(read.kind, EmploymentEventKind::Leaver);
        assert_eq!(
            read.effective_at.unwrap().to_string(),
            "2026-11-22T17:00:00Z"
        );
        assert_eq!(
            (read.urgency, read.reason.as_str()),
            (Urgency::Ordinary, "")
        );
        assert_eq!(read.email.as_deref(), Some("Ada@Example.test"));
    }

    #[test]
    fn each_fault_names_its_field() {
        for (pointer, wrong) in [
            ("/specversion", json!("0.3")),
            ("/id", json!("")),
            ("/id", json!(7)),
            ("/source", json!("a b")),
            ("/type", json!("sever.employment.promoted.v1")),
            ("/time", json!("yesterday")),
            ("/data/person/external_id", json!("x".repeat(257))),
            ("/data/person/external_id", json!("a\u{0}b")),
            ("/data/person/email", json!("nobody")),
            ("/data/employment_version", json!(0)),
            ("/data/employment_version", json!("3")),
            ("/data/effective_at", json!("soon")),
            ("/data/effective_at", Value::Null),
            ("/data/urgency", json!("yesterday")),
            ("/data/reason", json!("r".repeat(501))),
        ] {
            let mut body = event();
            body["data"]["urgency"] = json!("urgent");
            body["data"]["reason"] = json!("end of contract");
            *body.pointer_mut(pointer).unwrap() = wrong;
            let fault = parse(&body).unwrap_err();
            assert_eq!(fault.field, pointer, "{fault}");
        }
    }

    #[test]
    fn a_time_without_a_zone_and_a_missing_field_are_told_apart() {
        let mut body = event();
        body["data"].as_object_mut().unwrap().remove("time_zone");
        let fault = parse(&body).unwrap_err();
        assert!(
            fault.field == "/data/effective_at" && fault.problem.contains("time zone"),
            "{fault}"
        );
        let mut body = event();
        body["data"].as_object_mut().unwrap().remove("person");
        let fault = parse(&body).unwrap_err();
        assert!(
            fault.field == "/data" && fault.problem.contains("person"),
            "{fault}"
        );
    }

    #[test]
    fn only_a_leaver_and_a_changed_last_day_need_a_time() {
        for (word, kind) in TYPES {
            let mut body = event();
            body["type"] = json!(word);
            body["data"].as_object_mut().unwrap().remove("effective_at");
            let needed = matches!(
                kind,
                EmploymentEventKind::Leaver | EmploymentEventKind::LastDayChanged
            );
            assert_eq!(parse(&body).is_err(), needed, "{word}");
        }
    }

    #[test]
    fn a_body_over_the_bound_is_refused_unread() {
        let fault = LeaverEvent::parse(&vec![b' '; BODY_BYTES_MAX + 1]).unwrap_err();
        assert!(fault.problem.contains("256 KiB"), "{fault}");
    }
}
