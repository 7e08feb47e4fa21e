//! One Okta org as it is called: addresses, authorization, and the endpoint families.

use sever_domain::OutcomeClass;
use sever_provider::CallError;
use sever_provider::http::{Call, Method, Priority, ProviderHttp, Reply};
pub use sever_provider::{inconsistent, unusable};
use tokio::time::Instant;
use url::Url;

use crate::auth::Credential;
use crate::errors::{Meaning, refusal};

/// A family of endpoints: the metric label, and the bucket in which Okta counts reads and writes of it.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    /// The metric label.
    pub family: &'static str,
    read_bucket: &'static str,
    write_bucket: &'static str,
    /// Where its paths begin.
    root: &'static [&'static str],
}

/// The management API.
const MANAGEMENT: &[&str] = &["api", "v1"];
/// The org's authorization server.
const AUTHORIZATION: &[&str] = &["oauth2", "v1"];

macro_rules! endpoints {
    ($($(#[$meta:meta])* $name:ident = $family:literal in $bucket:literal;)+) => {$(
        $(#[$meta])*
        pub const $name: Endpoint = Endpoint {
            family: $family,
            read_bucket: concat!("read ", $bucket),
            write_bucket: concat!("write ", $bucket),
            root: super::MANAGEMENT,
        };
    )+};
}

/// The families that are called. The buckets are Okta's default ones; where an org is configured
/// otherwise, the headers still close the bucket in which a call was refused.
pub mod endpoint {
    use super::Endpoint;
    endpoints! {
        /// The list of users.
        USERS = "users" in "/api/v1/users";
        /// One user.
        USER = "user" in "/api/v1/users/{id}";
        /// Suspension, deactivation.
        LIFECYCLE = "user_lifecycle" in "/api/v1/users*";
        /// Sessions of a user.
        SESSIONS = "user_sessions" in "/api/v1/users*";
        /// OAuth clients of a user, and their tokens.
        CLIENTS = "user_clients" in "/api/v1/users*";
        /// Consents of a user.
        GRANTS = "user_grants" in "/api/v1/users*";
        /// Administrative roles of a user.
        ROLES = "user_roles" in "/api/v1/users*";
        /// Groups of a user.
        USER_GROUPS = "user_groups" in "/api/v1/users*";
        /// Factors of a user.
        FACTORS = "user_factors" in "/api/v1/users*";
        /// Devices of a user.
        USER_DEVICES = "user_devices" in "/api/v1/users*";
        /// Identity providers of a user.
        USER_IDPS = "user_idps" in "/api/v1/users*";
        /// The list of groups.
        GROUPS = "groups" in "/api/v1/groups";
        /// Everybody who has an administrative role.
        ADMINS = "admins" in "/api/v1/iam*";
        /// Administrative roles of a group.
        GROUP_ROLES = "group_roles" in "/api/v1/groups*";
        /// Members of a group.
        MEMBERS = "group_members" in "/api/v1/groups*";
        /// The list of applications.
        APPS = "apps" in "/api/v1/apps";
        /// Users of an application.
        APP_USERS = "app_users" in "/api/v1/apps*";
        /// API tokens.
        API_TOKENS = "api_tokens" in "/api/v1/api-tokens*";
        /// Devices.
        DEVICES = "devices" in "/api/v1/devices*";
        /// One application.
        APP = "app" in "/api/v1/apps/{id}";
        /// Everything below one application but its users.
        APP_PARTS = "app_parts" in "/api/v1/apps*";
        /// Event hooks.
        EVENT_HOOKS = "event_hooks" in "/api/v1/eventHooks*";
        /// Inline hooks.
        INLINE_HOOKS = "inline_hooks" in "/api/v1/inlineHooks*";
        /// The System Log.
        LOGS = "logs" in "/api/v1/logs*";
        /// Custom authorization servers, and what they gave to clients.
        AUTHORIZATION_SERVERS = "authorization_servers" in "/api/v1/authorizationServers*";
        /// Links to identity providers.
        IDPS = "idps" in "/api/v1/idps*";
    }

    /// Administrative roles of an application.
    pub const CLIENT_ROLES: Endpoint = Endpoint {
        family: "client_roles",
        read_bucket: "read /oauth2/v1/clients*",
        write_bucket: "write /oauth2/v1/clients*",
        root: super::AUTHORIZATION,
    };
}

/// One call below its endpoint's root.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// What is being done, for errors.
    pub doing: &'static str,
    /// Its endpoint family.
    pub endpoint: Endpoint,
    /// The path below its root.
    pub path: &'a [&'a str],
    /// The query.
    pub query: &'a [(&'a str, &'a str)],
}

/// One Okta org.
#[derive(Debug)]
pub struct Org {
    /// The policy under which it is called.
    pub http: ProviderHttp,
    /// Who calls.
    pub credential: Credential,
}

impl Org {
    /// Reads one answer: a success, or what it means instead.
    ///
    /// # Errors
    /// The meaning and the error to hand on where it is no success, or nothing came at all.
    pub async fn get(&self, ask: Ask<'_>, until: Option<Instant>) -> Result<Reply, Refused> {
        let url = self.url(ask)?;
        self.get_url(ask.doing, ask.endpoint, url, until).await
    }

    /// As [`Self::get`], of a whole URL within the org.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn get_url(
        &self,
        doing: &'static str,
        endpoint: Endpoint,
        url: Url,
        until: Option<Instant>,
    ) -> Result<Reply, Refused> {
        let call = Call::new(
            doing,
            endpoint.family,
            endpoint.read_bucket,
            Method::GET,
            url,
        );
        self.send(call.until(until)).await
    }

    /// Sends one write.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn write(
        &self,
        method: Method,
        ask: Ask<'_>,
        body: Option<&serde_json::Value>,
        priority: Priority,
        until: Instant,
    ) -> Result<Reply, Refused> {
        let url = self.url(ask)?;
        let endpoint = ask.endpoint;
        let mut call = Call::new(
            ask.doing,
            endpoint.family,
            endpoint.write_bucket,
            method,
            url,
        );
        call.body = body.map(|body| ("application/json", body.to_string()));
        self.send(call.with_priority(priority).until(Some(until)))
            .await
    }

    async fn send(&self, call: Call<'_>) -> Result<Reply, Refused> {
        let doing = call.doing;
        let until = call.deadline;
        let authorization = self.credential.header(&self.http, until).await?;
        let reply = self
            .http
            .send(call.authorized(&authorization.header))
            .await?;
        if reply.status.is_success() {
            authorization.refusals.worked();
            return Ok(reply);
        }
        let request_id = self.http.request_id_of(&reply);
        let (meaning, mut error) = refusal(doing, &reply, request_id);
        if error.class == OutcomeClass::Credentials {
            error.class = self.credential.refused(&authorization).await;
        }
        Err(Refused { meaning, error })
    }

    fn url(&self, ask: Ask<'_>) -> Result<Url, Refused> {
        let path = [ask.endpoint.root, ask.path].concat();
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

/// A call that gave no success: what it means, and the error to hand on.
#[derive(Debug)]
pub struct Refused {
    /// What the answer means; `Failed` where there was none.
    pub meaning: Meaning,
    /// The error.
    pub error: CallError,
}

impl From<CallError> for Refused {
    fn from(error: CallError) -> Self {
        Self {
            meaning: Meaning::Failed(error.class, error.sent),
            error,
        }
    }
}
