//! A service principal as Graph gives it, and what its state means.

use serde_json::{Value, json};
use sever_domain::entitlement::AccountReading;
use sever_domain::identity::AccountAttributes;
use sever_domain::{AccountState, EntitlementKind};
use sever_provider::{Account, CallError, FoundAccount};

use crate::account::ask_deleted;
use crate::errors::{Meaning, Refused};
use crate::families::text;
use crate::service::{inconsistent, unusable};
use crate::tenant::{Ask, Tenant};

/// What is asked for. The content of keys is not.
const SELECT: &str = "id,appId,displayName,accountEnabled,appRoleAssignmentRequired,servicePrincipalType,appOwnerOrganizationId,passwordCredentials,keyCredentials,deletedDateTime";
/// Tenants of Microsoft's own applications: they refuse writes.
const MICROSOFT: [&str; 2] = [
    "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
    "72f988bf-86f1-41af-91ab-2d7cd011db47",
];

/// A service principal.
#[derive(Debug, Clone)]
pub struct Principal(pub Value);

/// Who manages a service principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManagedBy {
    /// The tenant's administrators.
    Tenant,
    /// Azure: it goes with its resource.
    Azure,
    /// Microsoft.
    Microsoft,
}

/// The read of one service principal, by its object id.
#[must_use]
pub fn ask(id: &str) -> Ask {
    let path = ["servicePrincipals", id];
    Ask::new("reading the application", "service_principal", &path).with("$select", SELECT)
}

impl Principal {
    /// The service principal that `body` is, if it is the one with this id.
    ///
    /// # Errors
    /// Class `NeedsPerson` where it is another.
    pub fn of(body: Value, id: &str) -> Result<Self, CallError> {
        if text(&body, "id") == id {
            return Ok(Self(body));
        }
        let what = "the provider answered with another application than the one asked for";
        Err(unusable("reading the application", what.to_owned()))
    }

    /// What it can do. A disabled one is deactivated: it is a tombstone, which is the end that is wanted.
    #[must_use]
    pub fn state(&self) -> AccountState {
        let deleted = self.0["deletedDateTime"].is_string();
        if deleted || self.0["accountEnabled"] == false {
            AccountState::Deactivated
        } else {
            AccountState::Live
        }
    }

    /// The provider's word for that.
    #[must_use]
    pub fn provider_state(&self) -> &'static str {
        match (self.is_deleted(), self.state()) {
            (true, _) => "deleted",
            (false, AccountState::Live) => "enabled",
            (false, _) => "disabled",
        }
    }

    /// Whether it is among the deleted items.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.0["deletedDateTime"].is_string()
    }

    /// The client id.
    #[must_use]
    pub fn app_id(&self) -> &str {
        text(&self.0, "appId")
    }

    /// The allow-list of facts; an application's name is no person's.
    #[must_use]
    pub fn facts(&self) -> Value {
        json!({
            "name": self.0["displayName"],
            "app": self.0["appId"],
            "type": self.0["servicePrincipalType"],
            "owner_organization": self.0["appOwnerOrganizationId"],
            "enabled": self.0["accountEnabled"],
            "assignment_required": self.0["appRoleAssignmentRequired"],
            "deleted": self.0["deletedDateTime"],
        })
    }
}

/// Who manages the service principal with these facts.
#[must_use]
pub fn managed_by(facts: &Value) -> ManagedBy {
    if facts["type"] == "ManagedIdentity" {
        ManagedBy::Azure
    } else if MICROSOFT.contains(&text(facts, "owner_organization")) {
        ManagedBy::Microsoft
    } else {
        ManagedBy::Tenant
    }
}

/// Whether what was read is one of Microsoft's own applications.
#[must_use]
pub fn is_microsofts(reading: &AccountReading) -> bool {
    let account = reading.of(EntitlementKind::Account).first();
    account.is_some_and(|account| managed_by(&account.facts) == ManagedBy::Microsoft)
}

/// Reads a service principal, among the deleted items too; `None` where there is none in either.
///
/// # Errors
/// As any read; class `NeedsPerson` where another one came back.
pub async fn by_id(tenant: &Tenant, id: &str) -> Result<Option<Principal>, CallError> {
    for ask in [ask(id), ask_deleted(id)] {
        match body_of(tenant, &ask).await {
            Ok(body) => return Principal::of(body, id).map(Some),
            Err(refused) if refused.meaning == Meaning::Gone => {}
            Err(refused) => return Err(refused.error),
        }
    }
    Ok(None)
}

/// [`sever_provider::Connector::find_by_id`].
///
/// # Errors
/// As [`by_id`].
pub async fn find_by_id(tenant: &Tenant, id: &str) -> Result<FoundAccount, CallError> {
    Ok(match by_id(tenant, id).await? {
        Some(principal) => FoundAccount::Present(Box::new(Account {
            provider_id: id.to_owned(),
            state: principal.state(),
            provider_state: principal.provider_state().to_owned(),
            attributes: AccountAttributes::default(),
            facts: principal.facts(),
        })),
        None => FoundAccount::Absent,
    })
}

/// The registration with this client id, where it is in this tenant.
///
/// # Errors
/// As any read.
pub async fn registration(tenant: &Tenant, app_id: &str) -> Result<Option<Value>, Refused> {
    let path = format!("applications(appId='{}')", app_id.replace('\'', "''"));
    let ask = Ask::new("reading the registration", "application", &[&path])
        .with("$select", "id,appId,passwordCredentials,keyCredentials");
    match body_of(tenant, &ask).await {
        Ok(body) if text(&body, "appId") == app_id => Ok(Some(body)),
        Ok(_) => Err(inconsistent(ask.doing, "the answer is another registration").into()),
        Err(refused) if refused.meaning == Meaning::Gone => Ok(None),
        Err(refused) => Err(refused),
    }
}

/// The service principal of the application that we call as.
///
/// # Errors
/// As any read.
pub async fn own(tenant: &Tenant) -> Result<Option<String>, CallError> {
    let client_id = tenant.endpoint.client_id.replace('\'', "''");
    let path = format!("servicePrincipals(appId='{client_id}')");
    let ask = Ask::new(
        "reading the credential's owner",
        "service_principal",
        &[&path],
    )
    .with("$select", "id");
    match body_of(tenant, &ask).await {
        Ok(body) => Ok(body["id"].as_str().map(str::to_owned)),
        Err(refused) if refused.meaning == Meaning::Gone => Ok(None),
        Err(refused) => Err(refused.error),
    }
}

async fn body_of(tenant: &Tenant, ask: &Ask) -> Result<Value, Refused> {
    let reply = tenant.get(ask, None).await?;
    reply
        .json()
        .map_err(|_| inconsistent(ask.doing, "the answer is not JSON").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disabled_application_is_at_its_end_and_so_is_a_deleted_one() {
        for (body, state, word) in [
            (
                json!({"accountEnabled": true}),
                AccountState::Live,
                "enabled",
            ),
            (json!({}), AccountState::Live, "enabled"),
            (
                json!({"accountEnabled": false}),
                AccountState::Deactivated,
                "disabled",
            ),
            (
                json!({"accountEnabled": true, "deletedDateTime": "2026-01-01T00:00:00Z"}),
                AccountState::Deactivated,
                "deleted",
            ),
        ] {
            let principal = Principal(body.clone());
            assert_eq!(
                (principal.state(), principal.provider_state()),
                (state, word),
                "{body}"
            );
        }
    }

    #[test]
    fn who_manages_an_application() {
        assert_eq!(
            managed_by(&json!({"type": "ManagedIdentity"})),
            ManagedBy::Azure
        );
        assert_eq!(
            managed_by(&json!({"owner_organization": MICROSOFT[0]})),
            ManagedBy::Microsoft
        );
        assert_eq!(
            managed_by(&json!({"type": "Application", "owner_organization": "ours"})),
            ManagedBy::Tenant
        );
    }
}
