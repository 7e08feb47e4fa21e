//! The one token of an API application: kept in memory, fetched by one call while the others wait.

use std::time::Duration;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use sever_domain::OutcomeClass;
use sever_provider::http::{Call, Method, Priority, ProviderHttp, Reply};
use sever_provider::{CallError, Sent, TokenRefusals};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::errors::{inconsistent, unusable};
use crate::pace::Pace;

/// A token is replaced this long before it expires, so that no call is sent with a dying one.
const EXPIRY_MARGIN: Duration = Duration::from_secs(60);

/// An API application, and its token.
#[derive(Debug)]
pub struct Application {
    /// `vci_...`.
    pub client_id: String,
    secret: SecretString,
    scope: &'static str,
    minted: Mutex<Option<Minted>>,
    refusals: TokenRefusals,
}

#[derive(Debug, Clone)]
struct Minted {
    header: HeaderValue,
    minted_at: Instant,
    renew_at: Instant,
}

/// The header of one call, and which token it holds.
#[derive(Debug, Clone)]
pub struct Authorization {
    /// The header, marked sensitive.
    pub header: HeaderValue,
    minted_at: Instant,
}

impl Application {
    /// An application without a token yet, which will ask for `scope`.
    pub fn new(client_id: String, secret: SecretString, scope: &'static str) -> Self {
        Self {
            client_id,
            secret,
            scope,
            minted: Mutex::new(None),
            refusals: TokenRefusals::default(),
        }
    }

    /// The header for a call, with a token that is not about to expire; one call fetches, the others wait.
    ///
    /// # Errors
    /// Class `Credentials` where id or secret are refused; `RetryAt` where the token endpoint's own limit is used up;
    /// else as any call.
    pub async fn header(
        &self,
        http: &ProviderHttp,
        pace: &Pace,
        until: Instant,
    ) -> Result<Authorization, CallError> {
        // Held across the fetch on purpose: a second fetch would end the first one's token. A dropped future frees it.
        let mut minted = self.minted.lock().await;
        let usable = minted
            .as_ref()
            .filter(|minted| Instant::now() < minted.renew_at)
            .cloned();
        let current = match usable {
            Some(current) => current,
            None => minted.insert(self.mint(http, pace, until).await?).clone(),
        };
        Ok(Authorization {
            header: current.header,
            minted_at: current.minted_at,
        })
    }

    /// A call was taken.
    pub fn worked(&self) {
        self.refusals.worked();
    }

    /// The class of a 401: the token is forgotten. One that is no longer the current one says nothing.
    pub async fn refused(&self, used: &Authorization) -> OutcomeClass {
        let mut minted = self.minted.lock().await;
        if minted.as_ref().map(|minted| minted.minted_at) != Some(used.minted_at) {
            return OutcomeClass::Retry;
        }
        *minted = None;
        self.refusals.refused()
    }

    /// `POST /oauth/token`, client credentials in a JSON body (documentation, "Authentication").
    async fn mint(
        &self,
        http: &ProviderHttp,
        pace: &Pace,
        until: Instant,
    ) -> Result<Minted, CallError> {
        const DOING: &str = "fetching an access token";
        #[derive(Deserialize)]
        struct Token {
            access_token: SecretString,
            expires_in: u64,
        }
        let url = http
            .base()
            .join(&["oauth", "token"])
            .map_err(|cause| unusable(DOING, cause.to_string()))?;
        // Fetching is ordinary: nothing may use more of five requests a minute than this.
        pace.take(Instant::now(), Priority::Ordinary)
            .map_err(|wait| too_soon(DOING, wait))?;
        let body = json!({
            "client_id": self.client_id,
            "client_secret": self.secret.expose_secret(),
            "scope": self.scope,
            "grant_type": "client_credentials",
        });
        let call = Call::new(DOING, "token_endpoint", "token", Method::POST, url);
        let mut call = call.until(Some(until));
        call.body = Some(("application/json", body.to_string()));
        let minted_at = Instant::now();
        // Whatever becomes of it, the call that wanted the token was not sent.
        let reply = http.send(call).await.map_err(|error| CallError {
            sent: Sent::NotApplied,
            ..error
        })?;
        if !reply.status.is_success() {
            return Err(mint_refused(DOING, &reply));
        }
        let token: Token = reply
            .json()
            .map_err(|_| inconsistent(DOING, "the answer is not a token"))?;
        let header = sensitive(&format!("Bearer {}", token.access_token.expose_secret()))
            .ok_or_else(|| inconsistent(DOING, "the token cannot be a header"))?;
        let lifetime = Duration::from_secs(token.expires_in);
        Ok(Minted {
            header,
            minted_at,
            renew_at: minted_at + lifetime.saturating_sub(EXPIRY_MARGIN),
        })
    }
}

/// A header that is never printed; `None` where the text cannot be one.
fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

fn too_soon(doing: &'static str, wait: Duration) -> CallError {
    CallError {
        class: OutcomeClass::RetryAt,
        retry_after: Some(wait),
        ..unusable(
            doing,
            "the token endpoint's limit is used up; does another program use this API application?"
                .to_owned(),
        )
    }
}

/// Whether a refused request for a token proves that the application's secret works no more.
pub fn is_secret_refused(error: &CallError) -> bool {
    error.class == OutcomeClass::Credentials
        && (error.status == Some(401) || error.code.as_deref() == Some("invalid_client"))
}

/// 401, or a 4xx in the words of RFC 6749 section 5.2, says that id, secret or scopes are wrong. Any other answer may come
/// from a proxy, or from a tenant under maintenance.
fn mint_refused(doing: &'static str, reply: &Reply) -> CallError {
    let status = reply.status.as_u16();
    let named = if reply.status.is_client_error() {
        oauth_error(reply)
    } else {
        None
    };
    let (class, what) = if status == 401 || named.is_some() {
        (
            OutcomeClass::Credentials,
            "the API application, its secret or its scopes were refused",
        )
    } else {
        (OutcomeClass::Retry, "the token endpoint cannot do it now")
    };
    CallError {
        class,
        sent: Sent::NotApplied,
        status: Some(status),
        code: named.map(str::to_owned),
        ..unusable(doing, format!("HTTP {status}: {what}"))
    }
}

/// The error that RFC 6749 names, where the body is one of its refusals.
fn oauth_error(reply: &Reply) -> Option<&'static str> {
    #[derive(Deserialize)]
    struct Body {
        error: String,
    }
    const NAMED: [&str; 6] = [
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    ];
    let body: Body = reply.json().ok()?;
    NAMED.into_iter().find(|name| *name == body.error)
}
