//! Access tokens: one for each audience, minted anew before it expires, one mint at a time.

use std::time::Duration;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sever_domain::OutcomeClass;
use sever_provider::http::{Call, Method, ProviderHttp};
use sever_provider::{CallError, Sent, TokenRefusals, UnusableKey};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::options::Proof;
use crate::service::{inconsistent, unusable};

/// An access token is replaced this long before it expires, so that no call is sent with a dying one.
const EXPIRY_MARGIN: Duration = Duration::from_secs(300);

/// The token endpoint of a tenant, and who asks it.
#[derive(Debug)]
pub struct TokenEndpoint {
    /// The policy under which it is called.
    pub http: ProviderHttp,
    /// The tenant in its address.
    pub tenant_id: String,
    /// Who asks.
    pub client_id: String,
    /// With which proof.
    pub proof: Proof,
}

/// The token of one audience.
#[derive(Debug)]
pub struct Tokens {
    scope: String,
    minted: Mutex<Option<Minted>>,
    refusals: TokenRefusals,
}

/// The header of one call, and when its token was made.
#[derive(Debug, Clone)]
pub struct Minted {
    /// The header, marked sensitive.
    pub header: HeaderValue,
    minted_at: Instant,
    renew_at: Instant,
}

impl Tokens {
    /// No token yet for `scope`.
    #[must_use]
    pub fn new(scope: String) -> Self {
        Self {
            scope,
            minted: Mutex::new(None),
            refusals: TokenRefusals::default(),
        }
    }

    /// The header for a call; one call mints, the others wait.
    ///
    /// # Errors
    /// As any call, of the token endpoint.
    pub async fn header(
        &self,
        endpoint: &TokenEndpoint,
        until: Option<Instant>,
    ) -> Result<Minted, CallError> {
        // Held across the mint on purpose: the calls that wait here need its result. A dropped future frees it.
        let mut minted = self.minted.lock().await;
        let usable = minted
            .as_ref()
            .filter(|minted| Instant::now() < minted.renew_at)
            .cloned();
        Ok(match usable {
            Some(current) => current,
            None => minted
                .insert(endpoint.mint(&self.scope, until).await?)
                .clone(),
        })
    }

    /// A call was taken.
    pub fn worked(&self) {
        self.refusals.worked();
    }

    /// The class of a 401: the token is forgotten. One that is no longer the current one says nothing.
    pub async fn refused(&self, used: &Minted) -> OutcomeClass {
        let mut minted = self.minted.lock().await;
        if minted.as_ref().map(|minted| minted.minted_at) != Some(used.minted_at) {
            return OutcomeClass::Retry;
        }
        *minted = None;
        self.refusals.refused()
    }
}

impl TokenEndpoint {
    /// `POST /{tenant}/oauth2/v2.0/token`, client credentials; there is no refresh token.
    async fn mint(&self, scope: &str, until: Option<Instant>) -> Result<Minted, CallError> {
        const DOING: &str = "minting an access token";
        #[derive(Deserialize)]
        struct Token {
            access_token: SecretString,
            expires_in: u64,
        }
        let url = self
            .http
            .base()
            .join(&[&self.tenant_id, "oauth2", "v2.0", "token"])
            .map_err(|cause| unusable(DOING, cause.to_string()))?;
        let form = self.form(scope, url.as_str())?;
        let mut call = Call::new(DOING, "token_endpoint", "token", Method::POST, url).until(until);
        call.body = Some(("application/x-www-form-urlencoded", form));
        let minted_at = Instant::now();
        let reply = self.http.send(call).await.map_err(not_applied)?;
        if !reply.status.is_success() {
            return Err(mint_refused(DOING, &reply));
        }
        let token: Token = reply
            .json()
            .map_err(|_| inconsistent(DOING, "the answer is not a token"))?;
        let bearer = format!("Bearer {}", token.access_token.expose_secret());
        let mut header = HeaderValue::from_str(&bearer)
            .map_err(|_| inconsistent(DOING, "the token cannot be a header"))?;
        header.set_sensitive(true);
        let lifetime = Duration::from_secs(token.expires_in);
        Ok(Minted {
            header,
            minted_at,
            renew_at: minted_at + lifetime.saturating_sub(EXPIRY_MARGIN.min(lifetime / 2)),
        })
    }

    fn form(&self, scope: &str, audience: &str) -> Result<String, CallError> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &self.client_id)
            .append_pair("scope", scope);
        match &self.proof {
            Proof::Secret(secret) => form.append_pair("client_secret", secret.expose_secret()),
            Proof::Key(key) => {
                let assertion = key
                    .sign(audience, sever_provider::wall_clock::now())
                    .map_err(|UnusableKey| {
                        unusable("minting an access token", "the key cannot sign".to_owned())
                    })?;
                form.append_pair(
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                )
                .append_pair("client_assertion", &assertion)
            }
        };
        Ok(form.finish())
    }
}

/// Whatever becomes of a token's mint, the call that wanted it was not sent.
fn not_applied(error: CallError) -> CallError {
    CallError {
        sent: Sent::NotApplied,
        ..error
    }
}

/// Any 4xx of the token endpoint says that tenant, client, proof or scope are wrong (RFC 6749 section 5.2), unless its error
/// is one that passes (section 4.1.2.1). The `AADSTS` number is kept as the code; the description names the application.
fn mint_refused(doing: &'static str, reply: &sever_provider::http::Reply) -> CallError {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default)]
        error: String,
        #[serde(default)]
        error_codes: Vec<u32>,
    }
    let status = reply.status.as_u16();
    let body = reply.json::<Body>().ok();
    let passes = body
        .as_ref()
        .is_some_and(|body| ["temporarily_unavailable", "server_error"].contains(&&*body.error));
    let code = body.and_then(|body| body.error_codes.first().map(|code| format!("AADSTS{code}")));
    let (class, what) = if (400..500).contains(&status) && status != 408 && !passes {
        (
            OutcomeClass::Credentials,
            "the tenant, the application or its secret or key was refused",
        )
    } else {
        (OutcomeClass::Retry, "the token endpoint cannot do it now")
    };
    CallError {
        class,
        status: Some(status),
        code,
        ..unusable(doing, format!("HTTP {status}: {what}"))
    }
}
