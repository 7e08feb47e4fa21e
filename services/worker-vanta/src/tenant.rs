//! One Vanta tenant as it is called: addresses, tokens, pace. One lane, shared by the connectors of a connection.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde_json::Value;
use sever_domain::OutcomeClass;
use sever_provider::CallError;
use sever_provider::http::{Call, Method, Priority, ProviderHttp, Reply, SharedConnection};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::credential::{Credential, PushedSet};
use crate::errors::{Refused, refusal, unusable};
use crate::pace::Pace;
use crate::patience::Patience;
use crate::token::{Application, is_secret_refused};

const MANAGE_SCOPE: &str = "vanta-api.all:read vanta-api.all:write";
const BUILD_SCOPE: &str = "connectors.self:read-resource connectors.self:write-resource";
/// Token requests per minute that we make at most: Vanta takes five from everybody together.
const TOKENS_PER_MINUTE: u32 = 4;
/// The longest wait for the pace that is worth keeping a job's slot for.
const WAIT_IN_PLACE_MAX: Duration = Duration::from_secs(2);

/// How soon a job looks again whose bell came to a process without the lane: the next one may ring where it is.
const OTHER_PROCESS_WAIT: Duration = Duration::from_secs(1);

/// One call below `/v1`.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// What is being done, for errors.
    pub doing: &'static str,
    /// The metric label of its endpoint family.
    pub family: &'static str,
    /// The path below `/v1`.
    pub path: &'a [&'a str],
    /// The query.
    pub query: &'a [(&'a str, &'a str)],
}

/// Which of Vanta's APIs is called: each has its application and its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// Manage Vanta.
    Manage,
    /// Build Integrations, as our own connector.
    Build,
}

/// Our own connector, where the connection has one.
#[derive(Debug)]
pub struct Connector {
    /// Its application.
    pub application: Application,
    /// What it pushes.
    pub sets: Vec<PushedSet>,
}

/// One tenant.
#[derive(Debug)]
pub struct Tenant {
    http: ProviderHttp,
    shared: SharedConnection,
    manage: Application,
    /// Our own connector.
    pub connector: Option<Connector>,
    /// The person in whose name offboardings are acknowledged.
    pub acknowledger: String,
    /// The tenant answered that it has no call that deactivates logins; learnt once, until the process ends.
    pub no_deactivation: AtomicBool,
    /// Offboardings that Vanta refuses although the record shows nothing that they wait for, by person.
    pub refused_offboardings: Patience,
    /// Logins that Vanta refuses to deactivate, by user.
    pub refused_logins: Patience,
    /// Held while a pushed set is read, changed and pushed back.
    pub pushing: Mutex<()>,
    /// Calls per second that ordinary work may make.
    pub calls_per_s: f64,
    manage_pace: Pace,
    build_pace: Pace,
    token_pace: Pace,
}

impl Tenant {
    /// The tenant. Makes no call.
    pub fn new(http: ProviderHttp, shared: SharedConnection, credential: Credential) -> Self {
        let manage = credential.manage;
        let connector = credential.connector.map(|own| Connector {
            application: Application::new(own.client_id, own.client_secret, BUILD_SCOPE),
            sets: own.sets,
        });
        Self {
            http,
            shared,
            manage: Application::new(manage.client_id, manage.client_secret, MANAGE_SCOPE),
            connector,
            acknowledger: credential.acknowledger,
            no_deactivation: AtomicBool::new(false),
            refused_offboardings: Patience::new(credential.patience),
            refused_logins: Patience::new(credential.patience),
            pushing: Mutex::new(()),
            calls_per_s: f64::from(credential.requests_per_minute) * 0.8 / 60.0,
            manage_pace: Pace::new(credential.requests_per_minute),
            build_pace: Pace::new(credential.requests_per_minute),
            token_pace: Pace::new(TOKENS_PER_MINUTE),
        }
    }

    /// The client id of the application that manages Vanta.
    pub fn own_client_id(&self) -> &str {
        &self.manage.client_id
    }

    /// The deadline of a group of calls that begins now and must end together.
    pub fn deadline(&self) -> Instant {
        self.http.deadline()
    }

    /// How long the tenant wants to be left alone by ordinary calls.
    pub fn blocked_for(&self) -> Option<Duration> {
        let pace = self.manage_pace.closed_for(Instant::now());
        self.http.blocked_for().max(pace)
    }

    /// Reads one answer: a success, or what it means instead.
    ///
    /// # Errors
    /// The meaning and the error to hand on where it is no success, or nothing came at all.
    pub async fn get(
        &self,
        api: Api,
        ask: Ask<'_>,
        until: Option<Instant>,
    ) -> Result<Reply, Refused> {
        self.send(api, Method::GET, ask, None, Priority::Ordinary, until)
            .await
    }

    /// Sends one write with a JSON body.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn write(
        &self,
        api: Api,
        method: Method,
        ask: Ask<'_>,
        body: &Value,
        priority: Priority,
        until: Instant,
    ) -> Result<Reply, Refused> {
        let body = Some(body.to_string());
        self.send(api, method, ask, body, priority, Some(until))
            .await
    }

    /// Whether our own connector's application still gets a token: the proof that its secret works, or does not.
    ///
    /// # Errors
    /// As any call of the token endpoint; class `NeedsPerson` where something else than the secret is refused.
    pub async fn connector_works(&self) -> Result<bool, CallError> {
        let Some(connector) = &self.connector else {
            return Ok(false);
        };
        self.in_lane("asking for a token of our own connector")
            .await?;
        let application = &connector.application;
        match application
            .header(&self.http, &self.token_pace, self.deadline())
            .await
        {
            Ok(_) => Ok(true),
            Err(error) if is_secret_refused(&error) => Ok(false),
            // The scopes, perhaps: it is our connector's trouble, and not that of the connection's own credential.
            Err(error) if error.class == OutcomeClass::Credentials => Err(CallError {
                class: OutcomeClass::NeedsPerson,
                ..error
            }),
            Err(error) => Err(error),
        }
    }

    async fn send(
        &self,
        api: Api,
        method: Method,
        ask: Ask<'_>,
        body: Option<String>,
        priority: Priority,
        until: Option<Instant>,
    ) -> Result<Reply, Refused> {
        let until = until.unwrap_or_else(|| self.deadline());
        let (application, pace, bucket) = self.lane(api, ask.doing)?;
        let url = self.url(ask)?;
        self.in_lane(ask.doing).await?;
        let authorization = application
            .header(&self.http, &self.token_pace, until)
            .await?;
        take_turn(pace, ask.doing, priority).await?;
        let (limit, window) = pace.shared();
        let call = Call::new(ask.doing, ask.family, bucket, method, url)
            .paced(limit, window)
            .authorized(&authorization.header)
            .with_priority(priority)
            .until(Some(until));
        let body = body.map(|body| ("application/json", body));
        let reply = self.http.send(Call { body, ..call }).await?;
        if reply.status.is_success() {
            application.worked();
            return Ok(reply);
        }
        let mut refused = refusal(ask.doing, reply.status.as_u16());
        if refused.error.class == OutcomeClass::Credentials {
            refused.error.class = application.refused(&authorization).await;
        } else {
            application.worked();
        }
        Err(refused)
    }

    /// Only the process that has the connection's lane asks for tokens: a second token ends the first.
    async fn in_lane(&self, doing: &'static str) -> Result<(), CallError> {
        if self.shared.has_lane().await {
            return Ok(());
        }
        Err(CallError {
            class: OutcomeClass::Wait,
            retry_after: Some(OTHER_PROCESS_WAIT),
            ..unusable(doing, "another process has the tenant's lane".to_owned())
        })
    }

    fn lane(
        &self,
        api: Api,
        doing: &'static str,
    ) -> Result<(&Application, &Pace, &'static str), CallError> {
        match (api, &self.connector) {
            (Api::Manage, _) => Ok((&self.manage, &self.manage_pace, "manage")),
            (Api::Build, Some(own)) => Ok((&own.application, &self.build_pace, "build")),
            (Api::Build, None) => Err(unusable(
                doing,
                "the connection's credential names no connector of ours".to_owned(),
            )),
        }
    }

    fn url(&self, ask: Ask<'_>) -> Result<url::Url, CallError> {
        let path = [&["v1"], ask.path].concat();
        let mut url = self
            .http
            .base()
            .join(&path)
            .map_err(|cause| unusable(ask.doing, cause.to_string()))?;
        if !ask.query.is_empty() {
            url.query_pairs_mut().extend_pairs(ask.query);
        }
        Ok(url)
    }
}

/// Waits for the pace in place where it is short.
async fn take_turn(pace: &Pace, doing: &'static str, priority: Priority) -> Result<(), CallError> {
    loop {
        match pace.take(Instant::now(), priority) {
            Ok(()) => return Ok(()),
            Err(wait) if wait <= WAIT_IN_PLACE_MAX => tokio::time::sleep(wait).await,
            Err(wait) => {
                return Err(CallError {
                    class: OutcomeClass::RetryAt,
                    retry_after: Some(wait),
                    ..unusable(doing, "this minute's calls are used up".to_owned())
                });
            }
        }
    }
}
