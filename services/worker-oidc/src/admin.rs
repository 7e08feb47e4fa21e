//! Keycloak's administration API as it is called: everything below `/admin/realms/{realm}`.

use serde::de::DeserializeOwned;
use serde_json::Value;
use sever_provider::CallError;
use sever_provider::http::{Call, Method, Priority, Reply};
use tokio::time::Instant;

use crate::errors::Meaning;
use crate::issuer::{Issuer, Refused, inconsistent, unusable};

const JSON: &str = "application/json";

/// A family of endpoints: the metric label, and the buckets of its rate.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    name: &'static str,
    read_bucket: &'static str,
    write_bucket: &'static str,
}

/// Users and what hangs on them.
pub const USERS: Family = Family {
    name: "users",
    read_bucket: "read users",
    write_bucket: "write users",
};
/// Clients.
pub const CLIENTS: Family = Family {
    name: "clients",
    read_bucket: "read clients",
    write_bucket: "write clients",
};
/// The realm.
pub const REALM: Family = Family {
    name: "realm",
    read_bucket: "read realm",
    write_bucket: "write realm",
};

/// One call.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// What is being done, for errors.
    pub doing: &'static str,
    /// Its endpoint family.
    pub family: Family,
    /// The path below the realm.
    pub path: &'a [&'a str],
    /// The query.
    pub query: &'a [(&'a str, &'a str)],
}

impl Issuer {
    /// Reads one answer.
    ///
    /// # Errors
    /// The meaning and the error to hand on where it is no success, or nothing came at all.
    pub async fn get(&self, ask: Ask<'_>, until: Option<Instant>) -> Result<Reply, Refused> {
        let call = self.call(ask, Method::GET, ask.family.read_bucket)?;
        self.send(call.until(until)).await
    }

    /// Reads one JSON answer; `None` where the object named is not there.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn find<T: DeserializeOwned>(
        &self,
        ask: Ask<'_>,
        until: Option<Instant>,
    ) -> Result<Option<T>, Refused> {
        match self.get(ask, until).await {
            Ok(reply) => reply.json().map(Some).map_err(|_| {
                inconsistent(ask.doing, "the answer is not what was asked for").into()
            }),
            Err(refused) if refused.meaning == Meaning::Gone => Ok(None),
            Err(refused) => Err(refused),
        }
    }

    /// Sends one write.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn write(
        &self,
        method: Method,
        ask: Ask<'_>,
        body: Option<&Value>,
        priority: Priority,
        until: Instant,
    ) -> Result<Reply, Refused> {
        let mut call = self.call(ask, method, ask.family.write_bucket)?;
        call.body = body.map(|body| (JSON, body.to_string()));
        self.send(call.with_priority(priority).until(Some(until)))
            .await
    }

    fn call(
        &self,
        ask: Ask<'_>,
        method: Method,
        bucket: &'static str,
    ) -> Result<Call<'_>, CallError> {
        let realm = self.realm.as_deref().ok_or_else(|| {
            let what = "the connection has no administration: its profile is standard";
            unusable(ask.doing, what.to_owned())
        })?;
        let path = [&["admin", "realms", realm], ask.path].concat();
        let mut url = self.url(ask.doing, &path)?;
        if !ask.query.is_empty() {
            url.query_pairs_mut().extend_pairs(ask.query);
        }
        Ok(Call::new(ask.doing, ask.family.name, bucket, method, url))
    }
}
