//! One call as a connector describes it.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderValue;
use tokio::time::Instant;
use url::Url;

use sever_domain::rate::Priority;

/// One call to the provider. The URL comes from [`super::BaseUrl`].
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// What is being done, for errors; no personal data.
    pub doing: &'static str,
    /// The endpoint family, a metric label.
    pub family: &'static str,
    /// The endpoint bucket that the provider counts the call in.
    pub bucket: &'static str,
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// How much it may use of the rate.
    pub priority: Priority,
    /// The `Authorization` header, marked sensitive; none for a token endpoint.
    pub authorization: Option<&'a HeaderValue>,
    /// The media types that are taken for an answer; `application/json` where nothing else is said.
    pub accept: &'static str,
    /// A body and its media type; without one, `Content-Length: 0` is sent where the method takes a body.
    pub body: Option<(&'static str, String)>,
    /// The version that the resource must still have (`If-Match`, RFC 9110 section 13.1.1).
    pub if_match: Option<HeaderValue>,
    /// When it must have ended, where several calls share one deadline; at most the connection's deadline
    /// from now applies anyway.
    pub deadline: Option<Instant>,
    /// Calls in a window of this length that the provider's documents allow, where its headers tell nothing.
    pub pace: Option<(u32, Duration)>,
}

impl<'a> Call<'a> {
    /// An ordinary call without a body.
    #[must_use]
    pub const fn new(
        doing: &'static str,
        family: &'static str,
        bucket: &'static str,
        method: Method,
        url: Url,
    ) -> Self {
        Self {
            doing,
            family,
            bucket,
            method,
            url,
            priority: Priority::Ordinary,
            authorization: None,
            accept: "application/json",
            body: None,
            if_match: None,
            deadline: None,
            pace: None,
        }
    }

    /// The same call with this `Authorization` header.
    #[must_use]
    pub const fn authorized(mut self, authorization: &'a HeaderValue) -> Self {
        self.authorization = Some(authorization);
        self
    }

    /// The same call with this priority.
    #[must_use]
    pub const fn with_priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// The same call, under a rate that all processes share though no header tells it.
    #[must_use]
    pub const fn paced(mut self, limit: u32, window: Duration) -> Self {
        self.pace = Some((limit, window));
        self
    }

    /// The same call, ended at this instant at the latest.
    #[must_use]
    pub const fn until(mut self, deadline: Option<Instant>) -> Self {
        self.deadline = deadline;
        self
    }
}
