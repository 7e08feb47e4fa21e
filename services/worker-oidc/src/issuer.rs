//! One OpenID provider as it is called: metadata, our own access token, authorization.

use std::time::Duration;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sever_domain::OutcomeClass;
use sever_provider::http::{Call, Method, ProviderHttp, Reply};
use sever_provider::{Answer, AnswerKind, CallError, Sent, TokenRefusals};
pub use sever_provider::{inconsistent, unusable};
use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;
use url::Url;

use crate::client_auth::{ClientAuth, sensitive};
use crate::credential::Subject;
use crate::errors::{Meaning, refusal};
use crate::metadata::{Endpoint, Metadata};
use crate::tokens::Subjects;

const FORM: &str = "application/x-www-form-urlencoded";
/// An access token is replaced this long before it expires, so that no call is sent with a dying one; of a short-lived
/// one, a quarter of its life.
const EXPIRY_MARGIN: Duration = Duration::from_secs(60);
/// The longest time for which an access token is used, whatever the provider says of it.
const LIFETIME_MAX: Duration = Duration::from_secs(24 * 3600);

/// One provider.
#[derive(Debug)]
pub struct Issuer {
    /// The policy under which it is called.
    pub http: ProviderHttp,
    /// Its name for itself.
    pub issuer: String,
    /// The realm, where Keycloak's administration is used.
    pub realm: Option<String>,
    /// Our own client.
    pub client: ClientAuth,
    /// The scope of our own access token.
    pub scope: Option<String>,
    /// How a global token revocation names its subject.
    pub subject: Subject,
    /// The subjects that it was seen to know.
    pub subjects: Subjects,
    /// What it says of itself; asked once.
    pub metadata: OnceCell<Metadata>,
    /// Our own access token.
    pub minted: Mutex<Option<Minted>>,
    /// Refused access tokens.
    pub refusals: TokenRefusals,
    /// Held from a read to the write that rests on it, so that two steps of ours do not undo each other.
    pub one_writer: Mutex<()>,
}

/// An access token of our own client.
#[derive(Debug, Clone)]
pub struct Minted {
    /// The header, marked sensitive.
    header: HeaderValue,
    token: SecretString,
    minted_at: Instant,
    renew_at: Instant,
}

impl Issuer {
    /// What the provider says of itself.
    ///
    /// # Errors
    /// As any read; class `NeedsPerson` where it is not what the connection says.
    pub async fn metadata(&self) -> Result<&Metadata, CallError> {
        self.metadata.get_or_try_init(|| self.discover()).await
    }

    /// Both forms of the address: OpenID's after the issuer's path, and RFC 8414's between host and path.
    async fn discover(&self) -> Result<Metadata, CallError> {
        const DOING: &str = "reading the provider's metadata";
        let appended = format!(
            "{}/.well-known/openid-configuration",
            self.issuer.trim_end_matches('/')
        );
        let appended = self.http.base().follow(&appended).map_err(|_| {
            let what =
                "the issuer is outside the connection's base URL; set the base URL to what they share";
            unusable(DOING, what.to_owned())
        })?;
        let mut inserted = appended.clone();
        let path = appended
            .path()
            .trim_end_matches("/.well-known/openid-configuration");
        inserted.set_path(&format!("/.well-known/oauth-authorization-server{path}"));
        let inserted = self.http.base().follow(inserted.as_str()).ok();
        let mut refused = None;
        for url in [Some(appended), inserted].into_iter().flatten() {
            let call = Call::new(DOING, "discovery", "discovery", Method::GET, url);
            let reply = self.http.send(call).await?;
            // A server that shows a page for every path has this one at the other address, if at all.
            let is_json = || reply.json::<serde_json::Value>().is_ok();
            if reply.status.is_success() && is_json() {
                return Metadata::check(&reply.body, &self.issuer, self.http.base());
            }
            let (_, error) = refusal(DOING, &reply, self.http.request_id_of(&reply));
            if reply.status.is_server_error() {
                return Err(error);
            }
            refused = Some(error);
        }
        let error = refused.unwrap_or_else(|| unusable(DOING, String::new()));
        Err(CallError {
            class: OutcomeClass::NeedsPerson,
            what: "the provider has no metadata at the issuer; check base URL, realm and issuer"
                .to_owned(),
            ..error
        })
    }

    /// Sends a form to a standard endpoint, with the proof of `client` in it or beside it.
    ///
    /// # Errors
    /// The meaning and the error to hand on where it is no success, or nothing came at all.
    pub async fn post(
        &self,
        doing: &'static str,
        family: &'static str,
        endpoint: &Endpoint,
        client: &ClientAuth,
        fields: &[(&str, &str)],
        until: Option<Instant>,
    ) -> Result<Reply, Refused> {
        let now = sever_provider::wall_clock::now();
        let audience = &self.metadata().await?.issuer;
        let proven = client
            .prove(fields, &endpoint.methods, audience, now)
            .map_err(|_| {
                unusable(
                    doing,
                    "the client's key or secret cannot be used".to_owned(),
                )
            })?;
        let mut call = Call::new(doing, family, family, Method::POST, endpoint.url.clone());
        call.body = Some((FORM, proven.form.expose_secret().to_owned()));
        call.authorization = proven.header.as_ref();
        let reply = self.http.send(call.until(until)).await?;
        self.success(doing, reply)
    }

    /// Sends a call with our own access token.
    ///
    /// # Errors
    /// As [`Self::post`].
    pub async fn send(&self, call: Call<'_>) -> Result<Reply, Refused> {
        let doing = call.doing;
        let minted = self.minted(call.deadline).await?;
        let reply = self.http.send(call.authorized(&minted.header)).await?;
        match self.success(doing, reply) {
            Err(mut refused) if refused.error.class == OutcomeClass::Credentials => {
                refused.error.class = self.refused(&minted).await;
                Err(refused)
            }
            Ok(reply) => {
                self.refusals.worked();
                Ok(reply)
            }
            refused => refused,
        }
    }

    fn success(&self, doing: &'static str, reply: Reply) -> Result<Reply, Refused> {
        if reply.status.is_success() {
            return Ok(reply);
        }
        let (meaning, error) = refusal(doing, &reply, self.http.request_id_of(&reply));
        Err(Refused { meaning, error })
    }

    /// The value of our own access token, for the proof that introspection tells of living tokens.
    ///
    /// # Errors
    /// As any call, of the token endpoint.
    pub async fn own_token(&self) -> Result<SecretString, Refused> {
        Ok(self.minted(None).await?.token)
    }

    /// A token that is not about to expire; one call mints, the others wait.
    async fn minted(&self, until: Option<Instant>) -> Result<Minted, Refused> {
        // Held across the mint on purpose: the calls that wait here need its result. A dropped future frees it.
        let mut minted = self.minted.lock().await;
        if let Some(usable) = minted
            .as_ref()
            .filter(|minted| Instant::now() < minted.renew_at)
        {
            return Ok(usable.clone());
        }
        Ok(minted.insert(self.mint(until).await?).clone())
    }

    async fn mint(&self, until: Option<Instant>) -> Result<Minted, Refused> {
        const DOING: &str = "minting an access token";
        #[derive(Deserialize)]
        struct Token {
            access_token: SecretString,
            #[serde(default)]
            expires_in: Option<u64>,
        }
        let endpoint = self.metadata().await?.token.as_ref();
        let endpoint = endpoint
            .ok_or_else(|| unusable(DOING, "the provider has no token endpoint".to_owned()))?;
        let mut fields = vec![("grant_type", "client_credentials")];
        if let Some(scope) = &self.scope {
            fields.push(("scope", scope));
        }
        let minted_at = Instant::now();
        let reply = self
            .post(DOING, "token", endpoint, &self.client, &fields, until)
            .await
            .map_err(|refused| Refused {
                error: CallError {
                    // A token that was not minted has changed nothing.
                    sent: Sent::NotApplied,
                    ..refused.error
                },
                ..refused
            })?;
        let token: Token = reply
            .json()
            .map_err(|_| inconsistent(DOING, "the answer is not a token"))?;
        let header = sensitive(&format!("Bearer {}", token.access_token.expose_secret()))
            .ok_or_else(|| inconsistent(DOING, "the token cannot be a header"))?;
        let lifetime = Duration::from_secs(token.expires_in.unwrap_or(60)).min(LIFETIME_MAX);
        let margin = EXPIRY_MARGIN.min(lifetime / 4);
        Ok(Minted {
            header,
            token: token.access_token,
            minted_at,
            renew_at: minted_at + (lifetime - margin),
        })
    }

    /// The class of a 401: the token is forgotten. One that is no longer the current one says nothing.
    async fn refused(&self, used: &Minted) -> OutcomeClass {
        let mut minted = self.minted.lock().await;
        if minted.as_ref().map(|minted| minted.minted_at) != Some(used.minted_at) {
            return OutcomeClass::Retry;
        }
        *minted = None;
        self.refusals.refused()
    }

    /// An address below the base URL.
    ///
    /// # Errors
    /// Class `NeedsPerson` where a key cannot stand in a path.
    pub fn url(&self, doing: &'static str, path: &[&str]) -> Result<Url, CallError> {
        self.http
            .base()
            .join(path)
            .map_err(|cause| unusable(doing, cause.to_string()))
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

impl From<CallError> for Refused {
    fn from(error: CallError) -> Self {
        Self {
            meaning: Meaning::Failed(error.class, error.sent),
            error,
        }
    }
}

/// It was so already, as a read told.
#[must_use]
pub const fn already() -> Answer {
    Answer {
        kind: AnswerKind::AlreadyGone,
        status: 200,
        provider_request_id: None,
    }
}
