//! The client of one connection.

use std::time::{Duration, Instant};

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, IF_MATCH,
};
use reqwest::{Method, StatusCode};
use sever_domain::Provider;
use sever_domain::rate::Priority;
use thiserror::Error;
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

use crate::call::CallError;

use super::base_url::{BaseUrl, PlainHttp, UnusableUrl};
use super::buckets::{Buckets, CountedCall, Turn};
use super::budget::WAIT_IN_PLACE_MAX;
use super::call::Call;
use super::rate_headers::RateHeaders;
use super::reply::{BODY_BYTES_MAX, Reply};
use super::shared::{HeardWindow, SharedConnection};
use super::tokens::Tokens;
use super::{failure, metrics, scope, tls};

/// The longest time for a connection to come up, so that a host that drops packets is told apart from
/// one that answers late.
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// Under the idle time after which common load balancers forget a connection (60 s).
const IDLE_MAX: Duration = Duration::from_secs(45);

/// What a client is made from.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// The provider, a metric label.
    pub provider: Provider,
    /// The connection's base URL.
    pub base_url: Url,
    /// Where plain http is allowed.
    pub plain_http: PlainHttp,
    /// The hard deadline of one call, connecting and waiting for its turn included.
    pub call_deadline: Duration,
    /// The most calls under way at once; at least 1.
    pub in_flight_max: usize,
    /// The response header that carries the provider's id of the exchange.
    pub request_id_header: &'static str,
    /// What other processes know of the connection.
    pub shared: SharedConnection,
}

/// Why a client cannot be made.
#[derive(Debug, Error)]
pub enum UnusableHttp {
    /// The base URL may not be called.
    #[error("{0}")]
    BaseUrl(#[from] UnusableUrl),
    /// A bound is zero.
    #[error("{0} must be greater than zero")]
    Zero(&'static str),
    /// This machine trusts nobody.
    #[error("the system's certificate store is empty or cannot be read: install ca-certificates")]
    NoRoots,
    /// The client cannot be made.
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
}

impl UnusableHttp {
    /// The setting of the connection that is at fault.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::BaseUrl(_) | Self::NoRoots | Self::Client(_) => "base_url",
            Self::Zero(field) => field,
        }
    }
}

/// Calls one connection under the policy of this module. Shared by reference; every call is independent.
#[derive(Debug)]
pub struct ProviderHttp {
    client: reqwest::Client,
    base: BaseUrl,
    provider: &'static str,
    call_deadline: Duration,
    request_id_header: &'static str,
    slots: Semaphore,
    buckets: Buckets,
    shared: SharedConnection,
    tokens: Tokens,
}

impl ProviderHttp {
    /// Makes the client. Makes no call.
    ///
    /// # Errors
    /// [`UnusableHttp`], by the first setting that cannot be used.
    pub fn new(settings: &HttpSettings) -> Result<Self, UnusableHttp> {
        let base = BaseUrl::new(&settings.base_url, settings.plain_http)?;
        if settings.in_flight_max == 0 {
            return Err(UnusableHttp::Zero("in_flight_max"));
        }
        if settings.call_deadline.is_zero() {
            return Err(UnusableHttp::Zero("call_deadline"));
        }
        let tls = tls::config().ok_or(UnusableHttp::NoRoots)?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .connect_timeout(settings.call_deadline.min(CONNECT_MAX))
            .pool_max_idle_per_host(settings.in_flight_max)
            .pool_idle_timeout(IDLE_MAX)
            .tcp_nodelay(true)
            .user_agent(concat!("sever/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(UnusableHttp::Client)?;
        Ok(Self {
            client,
            base,
            provider: settings.provider.as_str(),
            call_deadline: settings.call_deadline,
            request_id_header: settings.request_id_header,
            slots: Semaphore::new(settings.in_flight_max.min(Semaphore::MAX_PERMITS)),
            buckets: Buckets::default(),
            shared: settings.shared.clone(),
            tokens: Tokens::default(),
        })
    }

    /// Where the connection may be called.
    #[must_use]
    pub const fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// The deadline of a group of calls that begins now and must end together.
    #[must_use]
    pub fn deadline(&self) -> tokio::time::Instant {
        tokio::time::Instant::now() + self.call_deadline
    }

    /// How long the connection wants to be left alone by ordinary calls; `None` when they may be made.
    #[must_use]
    pub fn blocked_for(&self) -> Option<Duration> {
        self.buckets.closed_for(Instant::now())
    }

    /// Makes one call, once, and reads its answer whole. Every status but 429 is an `Ok`.
    ///
    /// Dropping the future ends the exchange; the provider may have seen it.
    ///
    /// # Errors
    /// `RetryAt` where the rate is used up or the provider said when to come back; `Retry` where the
    /// network or the deadline failed, with `sent` telling whether it can have had its effect.
    pub async fn send(&self, call: Call<'_>) -> Result<Reply, CallError> {
        let deadline = self.deadline();
        let deadline = call.deadline.map_or(deadline, |given| given.min(deadline));
        let doing = call.doing;
        let turn = tokio::time::timeout_at(deadline, self.turn(&call)).await;
        let (_slot, counted) =
            turn.unwrap_or_else(|_elapsed| Err(failure::not_sent_in_time(doing)))?;
        let (family, began) = (call.family, Instant::now());
        let exchange = tokio::time::timeout_at(deadline, self.exchange(call, counted)).await;
        let result = exchange.unwrap_or_else(|_elapsed| Err(failure::no_answer_in_time(doing)));
        let status = match &result {
            Ok(reply) => Some(reply.status.as_u16()),
            Err(error) => error.status,
        };
        self.shared.ended(is_answer(&result));
        scope::call_ended();
        metrics::called(self.provider, family, status, began.elapsed());
        result
    }

    /// Waits for a slot and for the bucket; a wait for the bucket gives the slot back meanwhile.
    async fn turn(
        &self,
        call: &Call<'_>,
    ) -> Result<(SemaphorePermit<'_>, CountedCall<'_>), CallError> {
        let priority = scope::priority_of(call.priority);
        loop {
            let slot = self
                .slots
                .acquire()
                .await
                .expect("the semaphore is never closed");
            match self.buckets.ask(call.bucket, Instant::now(), priority) {
                Turn::Go(counted) => match self.take_token(call, priority).await {
                    Ok(()) => return Ok((slot, counted)),
                    Err(wait) => {
                        counted.withdrawn();
                        drop(slot);
                        if wait > WAIT_IN_PLACE_MAX {
                            return Err(failure::rate_kept(call.doing, wait));
                        }
                        tokio::time::sleep(wait).await;
                    }
                },
                Turn::RetryAt(wait) => return Err(failure::rate_kept(call.doing, wait)),
                Turn::Wait(wait) => {
                    drop(slot);
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    /// Takes a token of what this process has leased; without a ledger there is nothing to take.
    async fn take_token(&self, call: &Call<'_>, priority: Priority) -> Result<(), Duration> {
        let Some(ledger) = self.shared.ledger() else {
            return Ok(());
        };
        let declared = call.pace.map(|(limit, ends_in)| HeardWindow {
            limit,
            remaining: limit,
            ends_in,
            declared: true,
        });
        let heard = || {
            self.buckets
                .window(call.bucket, Instant::now())
                .or(declared)
        };
        self.tokens.take(ledger, call.bucket, priority, heard).await
    }

    /// Closes a bucket for this process and for the others.
    async fn close_bucket(&self, bucket: &'static str, wait: Duration) {
        self.buckets.close(bucket, Instant::now(), wait);
        if let Some(ledger) = self.shared.ledger() {
            ledger.refused(bucket, wait).await;
        }
    }

    async fn exchange(&self, call: Call<'_>, counted: CountedCall<'_>) -> Result<Reply, CallError> {
        let (doing, bucket) = (call.doing, call.bucket);
        let response = self
            .request(call)
            .send()
            .await
            .map_err(|cause| failure::transport(doing, &cause))?;
        let headers = response.headers();
        let rate = RateHeaders::read(headers, crate::wall_clock::now());
        let now = Instant::now();
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            let error = failure::refused_by_rate(doing, &rate, self.request_id(headers));
            counted.answered(now, &rate);
            if let Some(wait) = error.retry_after {
                self.close_bucket(bucket, wait).await;
            }
            return Err(error);
        }
        counted.answered(now, &rate);
        if response.status() == StatusCode::SERVICE_UNAVAILABLE
            && let Some(wait) = rate.asked_wait()
        {
            let request_id = self.request_id(headers);
            return Err(failure::away(doing, wait, request_id));
        }
        read_whole(doing, response).await
    }

    fn request(&self, call: Call<'_>) -> reqwest::RequestBuilder {
        let takes_body = matches!(call.method, Method::POST | Method::PUT | Method::PATCH);
        let mut request = self
            .client
            .request(call.method, call.url)
            .header(ACCEPT, HeaderValue::from_static(call.accept));
        if let Some(authorization) = call.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(version) = call.if_match {
            request = request.header(IF_MATCH, version);
        }
        match call.body {
            Some((media_type, body)) => request
                .header(CONTENT_TYPE, HeaderValue::from_static(media_type))
                .body(body),
            // hyper leaves the header out where there is no body, and providers answer 411 then.
            None if takes_body => request
                .header(CONTENT_LENGTH, HeaderValue::from_static("0"))
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json")),
            None => request,
        }
    }

    fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        Some(
            headers
                .get(self.request_id_header)?
                .to_str()
                .ok()?
                .to_owned(),
        )
    }

    /// The provider's id of the exchange that a reply belongs to.
    #[must_use]
    pub fn request_id_of(&self, reply: &Reply) -> Option<String> {
        self.request_id(&reply.headers)
    }
}

/// Whether the provider is there: a refusal is an answer, a 5xx or silence is none. What no call was made for counts
/// as neither; it does not come here.
fn is_answer(result: &Result<Reply, CallError>) -> bool {
    match result {
        Ok(reply) => !reply.status.is_server_error(),
        Err(error) => error.status.is_some_and(|status| status < 500),
    }
}

async fn read_whole(
    doing: &'static str,
    mut response: reqwest::Response,
) -> Result<Reply, CallError> {
    let status = response.status();
    let announced = usize::try_from(response.content_length().unwrap_or(0)).unwrap_or(usize::MAX);
    if announced > BODY_BYTES_MAX {
        return Err(failure::body_too_long(doing, status.as_u16()));
    }
    let mut body = Vec::with_capacity(announced);
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|cause| failure::transport(doing, &cause))?
    {
        if body.len() + chunk.len() > BODY_BYTES_MAX {
            return Err(failure::body_too_long(doing, status.as_u16()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply {
        status,
        headers: std::mem::take(response.headers_mut()),
        body,
    })
}
