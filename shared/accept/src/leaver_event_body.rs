//! Employment events on the wire, as the descriptions of the intake service show them.

use serde::{Deserialize, Serialize};
use sever_domain::Urgency;
use utoipa::ToSchema;

/// An employment event on the wire: a CloudEvents 1.0 envelope with the data of an employment event.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LeaverEventBody {
    /// The version of the specification, `1.0`.
    #[schema(example = "1.0")]
    pub specversion: String,
    /// Unique for each event of the source; a repeated event repeats it.
    #[schema(example = "7f6f3f2c-0d0b-4a52-9d58-0d1c5b0f6a11")]
    pub id: String,
    /// Where the event comes from, a URI reference.
    #[schema(example = "https://hr.example/employment")]
    pub source: String,
    /// What happened.
    #[schema(example = "sever.employment.leaver.v1")]
    pub r#type: String,
    /// When it happened at the source (RFC 3339); the time of receipt where absent.
    #[schema(example = "2026-11-22T09:30:00Z")]
    pub time: Option<String>,
    /// The media type of `data`; JSON where absent.
    #[schema(example = "application/json")]
    pub datacontenttype: Option<String>,
    /// The particulars.
    pub data: LeaverData,
}

/// The particulars of an employment event.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LeaverData {
    /// Whom it is about.
    pub person: PersonInEvent,
    /// The source's version of this person's employment, at least 1; a newer one wins over an older one.
    #[schema(minimum = 1, example = 3)]
    pub employment_version: i64,
    /// When access ends: RFC 3339 with an offset, RFC 9557 with a zone, or a local time with `time_zone`.
    /// Required for a leaver and a changed last day.
    #[schema(example = "2026-11-30T18:00:00+01:00[Europe/Berlin]")]
    pub effective_at: Option<String>,
    /// An IANA zone, for a local `effective_at`.
    #[schema(example = "Europe/Berlin")]
    pub time_zone: Option<String>,
    /// `ordinary` where absent.
    #[schema(value_type = Option<String>, example = "ordinary")]
    pub urgency: Option<Urgency>,
    /// Why, at most 500 characters; not personal data.
    #[schema(example = "end of contract")]
    pub reason: Option<String>,
}

/// Whom an event is about.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PersonInEvent {
    /// The source's own id of the person, 1 to 256 characters.
    #[schema(example = "E-1007")]
    pub external_id: String,
    /// An e-mail of the person. It helps to find candidates and never decides.
    #[schema(example = "ada@example.test")]
    pub email: Option<String>,
}
