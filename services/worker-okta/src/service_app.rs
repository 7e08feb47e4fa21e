//! A service app: access tokens from a signed assertion, minted anew before they expire.

use std::time::Duration;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sever_domain::OutcomeClass;
use sever_provider::http::{Call, Method, ProviderHttp};
use sever_provider::{CallError, ClientKey, Sent, TokenRefusals, UnusableKey};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::auth::{Authorization, sensitive};
use crate::org::{inconsistent, unusable};

/// An access token is replaced this long before it expires, so that no call is sent with a dying one.
const EXPIRY_MARGIN: Duration = Duration::from_secs(60);

/// What the reads and writes of a person's opt-out need, unless the credential names its own scopes. Integrations need
/// `okta.appGrants`, `okta.authorizationServers`, `okta.eventHooks` and `okta.inlineHooks` besides: asking for a scope that the app was not granted
/// would refuse the whole token.
const SCOPES: &str = "okta.users.manage okta.users.read okta.groups.manage okta.groups.read \
    okta.roles.manage okta.roles.read okta.apps.manage okta.apps.read okta.apiTokens.manage \
    okta.apiTokens.read okta.devices.manage okta.devices.read okta.idps.manage okta.idps.read";

/// A service app that authenticates with a signed assertion (RFC 7523 section 2.2).
#[derive(Debug)]
pub struct ServiceApp {
    key: ClientKey,
    scopes: String,
    minted: Mutex<Option<Minted>>,
    refusals: TokenRefusals,
}

#[derive(Debug, Clone)]
struct Minted {
    header: HeaderValue,
    minted_at: Instant,
    renew_at: Instant,
}

/// The JSON form of a service app's credential.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceAppJson {
    client_id: String,
    /// PEM, PKCS #8 or PKCS #1 or SEC1.
    key: SecretString,
    /// The key's id at Okta.
    kid: String,
    #[serde(default)]
    scopes: Option<Vec<String>>,
}

impl ServiceApp {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// What is wrong with it, without its value.
    pub fn parse(text: &str) -> Result<Self, String> {
        let json: ServiceAppJson = serde_json::from_str(text)
            .map_err(|_| "is not JSON with the fields client_id, kid and key".to_owned())?;
        let key = ClientKey::from_pem(json.client_id, json.kid, json.key.expose_secret()).map_err(
            |UnusableKey| "has a key that is no RSA or P-256 private key in PEM form".to_owned(),
        )?;
        let scopes = json
            .scopes
            .map_or_else(|| SCOPES.to_owned(), |scopes| scopes.join(" "));
        Ok(Self {
            key,
            scopes,
            minted: Mutex::new(None),
            refusals: TokenRefusals::default(),
        })
    }

    /// The client id, which is the application's id at Okta.
    pub fn client_id(&self) -> &str {
        self.key.client_id()
    }

    /// The header for a call, with a token that is not about to expire; one call mints, the others wait.
    ///
    /// # Errors
    /// As any call, of the token endpoint.
    pub async fn header(
        &self,
        http: &ProviderHttp,
        until: Option<Instant>,
    ) -> Result<Authorization, CallError> {
        // Held across the mint on purpose: the calls that wait here need its result. A dropped future
        // frees it.
        let mut minted = self.minted.lock().await;
        let usable = minted
            .as_ref()
            .filter(|minted| Instant::now() < minted.renew_at)
            .cloned();
        let current = match usable {
            Some(current) => current,
            None => minted.insert(self.mint(http, until).await?).clone(),
        };
        Ok(Authorization {
            header: current.header,
            minted_at: Some(current.minted_at),
            refusals: self.refusals.clone(),
        })
    }

    /// The class of a 401: the token is forgotten. One that is no longer the current one says nothing.
    pub async fn refused(&self, used: &Authorization) -> OutcomeClass {
        let mut minted = self.minted.lock().await;
        if minted.as_ref().map(|minted| minted.minted_at) != used.minted_at {
            return OutcomeClass::Retry;
        }
        *minted = None;
        self.refusals.refused()
    }

    /// Okta: `POST /oauth2/v1/token`, client credentials with `private_key_jwt`, no refresh token.
    async fn mint(&self, http: &ProviderHttp, until: Option<Instant>) -> Result<Minted, CallError> {
        const DOING: &str = "minting an access token";
        #[derive(Deserialize)]
        struct Token {
            access_token: SecretString,
            expires_in: u64,
        }
        let url = http
            .base()
            .join(&["oauth2", "v1", "token"])
            .map_err(|cause| unusable(DOING, cause.to_string()))?;
        let assertion = self
            .key
            .sign(url.as_str(), sever_provider::wall_clock::now())
            .map_err(|UnusableKey| unusable(DOING, "the key cannot sign".into()))?;
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("scope", &self.scopes)
            .append_pair(
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            )
            .append_pair("client_assertion", &assertion)
            .finish();
        let mut call = Call::new(DOING, "token_endpoint", "token", Method::POST, url).until(until);
        call.body = Some(("application/x-www-form-urlencoded", form));
        let minted_at = Instant::now();
        let reply = http.send(call).await?;
        if !reply.status.is_success() {
            return Err(mint_refused(DOING, reply.status.as_u16()));
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

/// Any 4xx of the token endpoint says that client, key or scopes are wrong (RFC 6749 section 5.2).
fn mint_refused(doing: &'static str, status: u16) -> CallError {
    let (class, what) = if (400..500).contains(&status) {
        (
            OutcomeClass::Credentials,
            "the service app, its key or its scopes were refused",
        )
    } else {
        (OutcomeClass::Retry, "the token endpoint cannot do it now")
    };
    CallError {
        class,
        sent: Sent::NotApplied,
        status: Some(status),
        ..unusable(doing, format!("HTTP {status}: {what}"))
    }
}
