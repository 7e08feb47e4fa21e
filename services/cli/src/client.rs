//! The console as the commands see it: typed answers, and problems as failures with their exit code.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sever_api::ProblemBody;
use sever_config::{
    ConsoleClientConfig, ExposeSecret as _, FromEnvironment as _, ProcessEnvironment,
};

use crate::exit::{Failure, Reason};

/// Opening a connection to the console.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// An answer of the console; an import takes longest.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(630);

/// The console, with the token of `SEVER_TOKEN`.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    config: ConsoleClientConfig,
}

impl Client {
    /// The console that the environment names. Connects to nothing yet.
    pub(crate) fn from_environment() -> Result<Self, Failure> {
        Self::new(ConsoleClientConfig::from_environment(&ProcessEnvironment)?)
    }

    /// The console at this address, with this token. Connects to nothing yet.
    pub(crate) fn new(config: ConsoleClientConfig) -> Result<Self, Failure> {
        // Fails only where one is installed already, which does as well.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("sever/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| {
                Failure::new(
                    Reason::Problem,
                    format!("setting up HTTP: {}", chain(&error)),
                )
            })?;
        let base = Url::parse(&config.url)
            .map_err(|error| Failure::usage(format!("SEVER_CONSOLE_URL: {error}")))?;
        Ok(Self { http, base, config })
    }

    /// Whether a token is configured at all.
    pub(crate) fn has_token(&self) -> bool {
        self.config.token.is_some()
    }

    /// Reads something.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<T, Failure> {
        let request = self.request(Method::GET, path)?.query(query);
        json(self.send(request).await?).await
    }

    /// Sends a body and reads the answer.
    pub(crate) async fn send_json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let request = self.request(method, path)?.json(body);
        json(self.send(request).await?).await
    }

    /// The same under an idempotency key.
    pub(crate) async fn post_with_key<T: DeserializeOwned>(
        &self,
        path: &[&str],
        key: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let request = self
            .request(Method::POST, path)?
            .header("Idempotency-Key", key)
            .json(body);
        json(self.send(request).await?).await
    }

    /// Sends a file of another media type.
    pub(crate) async fn post_bytes<T: DeserializeOwned>(
        &self,
        path: &[&str],
        media_type: &str,
        body: Vec<u8>,
    ) -> Result<T, Failure> {
        let request = self
            .request(Method::POST, path)?
            .header(reqwest::header::CONTENT_TYPE, media_type)
            .body(body);
        json(self.send(request).await?).await
    }

    /// Gives an order that has no body and no answer.
    pub(crate) async fn order(&self, path: &[&str]) -> Result<(), Failure> {
        let request = self.request(Method::POST, path)?;
        self.send(request).await.map(drop)
    }

    /// Deletes something.
    pub(crate) async fn delete(&self, path: &[&str]) -> Result<(), Failure> {
        let request = self.request(Method::DELETE, path)?;
        self.send(request).await.map(drop)
    }

    fn request(&self, method: Method, path: &[&str]) -> Result<RequestBuilder, Failure> {
        let token = self.config.token.as_ref().ok_or_else(|| {
            Failure::new(
                Reason::Refused,
                "no token: set SEVER_TOKEN or SEVER_TOKEN_FILE; 'sever token create' makes the first one",
            )
        })?;
        let mut url = self.base.clone();
        // Each part is one segment, whatever characters it holds.
        url.path_segments_mut()
            .expect("an http URL has a path")
            .pop_if_empty()
            .push("v1")
            .extend(path);
        Ok(self
            .http
            .request(method, url)
            .bearer_auth(token.expose_secret()))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let answer = request.send().await.map_err(|error| {
            Failure::new(
                Reason::Unreachable,
                format!(
                    "the console at {} does not answer: {} (SEVER_CONSOLE_URL)",
                    self.config.url,
                    chain(&error)
                ),
            )
        })?;
        if answer.status().is_success() {
            Ok(answer)
        } else {
            Err(refusal(answer).await)
        }
    }
}

async fn json<T: DeserializeOwned>(answer: Response) -> Result<T, Failure> {
    answer.json().await.map_err(|error| {
        Failure::new(
            Reason::Problem,
            format!(
                "the console's answer cannot be read; is it of this version? {}",
                chain(&error)
            ),
        )
    })
}

/// What a refusal means, in the words of its problem (RFC 9457).
async fn refusal(answer: Response) -> Failure {
    let status = answer.status();
    let body = answer.bytes().await.unwrap_or_default();
    let problem: Option<ProblemBody> = serde_json::from_slice(&body).ok();
    let message = problem.map_or_else(
        || format!("the console answered {status}"),
        |problem| describe(&problem),
    );
    Failure::new(reason(status), message)
}

fn describe(problem: &ProblemBody) -> String {
    match &problem.field {
        Some(field) => format!(
            "{field}: {} ({}, {})",
            problem.detail,
            problem.title.trim_end_matches('.'),
            problem.status
        ),
        None => format!(
            "{} ({}, {})",
            problem.detail,
            problem.title.trim_end_matches('.'),
            problem.status
        ),
    }
}

fn reason(status: StatusCode) -> Reason {
    match status {
        StatusCode::NOT_FOUND => Reason::NotFound,
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::CONFLICT
        | StatusCode::UNPROCESSABLE_ENTITY => Reason::Refused,
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            Reason::Unreachable
        }
        status if status.is_client_error() => Reason::Usage,
        _ => Reason::Problem,
    }
}

/// An error and its causes in one line, without the URL, which may hold an id.
fn chain(error: &reqwest::Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    if texts.is_empty() {
        "the connection failed".to_owned()
    } else {
        texts.join(": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_mean_what_the_exit_codes_say() {
        for (status, expected) in [
            (400, Reason::Usage),
            (401, Reason::Refused),
            (403, Reason::Refused),
            (404, Reason::NotFound),
            (409, Reason::Refused),
            (413, Reason::Usage),
            (422, Reason::Refused),
            (500, Reason::Problem),
            (503, Reason::Unreachable),
        ] {
            assert_eq!(
                reason(StatusCode::from_u16(status).unwrap()),
                expected,
                "{status}"
            );
        }
    }

    #[test]
    fn an_id_with_a_slash_stays_one_segment() {
        let config = ConsoleClientConfig {
            url: "https://sever.example/base".to_owned(),
            token: Some("t".to_owned().into()),
        };
        let client = Client::new(config).unwrap();
        let request = client
            .request(Method::GET, &["people", "hr:a/b?c"])
            .unwrap();
        let url = request.build().unwrap().url().to_string();
        assert_eq!(url, "https://sever.example/base/v1/people/hr:a%2Fb%3Fc");
    }
}
