//! A user as Okta gives it, and what its status means.

use serde::Deserialize;
use serde_json::json;
use sever_domain::AccountState;
use sever_domain::identity::AccountAttributes;
use sever_provider::Account;

use crate::paging::Listed;

/// A user as Okta gives it; what is not listed is ignored, what is missing is empty.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The immutable id.
    pub id: String,
    /// One of eight words.
    pub status: String,
    /// Set only while an asynchronous change runs.
    #[serde(default)]
    pub transitioning_to_status: Option<String>,
    #[serde(default)]
    created: Option<String>,
    #[serde(default)]
    status_changed: Option<String>,
    #[serde(default)]
    last_login: Option<String>,
    #[serde(default)]
    realm_id: Option<String>,
    #[serde(default)]
    profile: Profile,
    #[serde(default)]
    credentials: Credentials,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Profile {
    login: Option<String>,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    employee_number: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Credentials {
    provider: SignInProvider,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SignInProvider {
    r#type: Option<String>,
    name: Option<String>,
}

impl Listed for User {
    fn id(&self) -> &str {
        &self.id
    }
}

/// What a status means (users API, "User status"). A change under way counts for nothing yet, except that
/// an account on its way back is live.
#[must_use]
pub fn account_state(status: &str, transitioning_to: Option<&str>) -> AccountState {
    match (status, transitioning_to) {
        (_, Some("ACTIVE" | "PROVISIONED")) => AccountState::Live,
        ("SUSPENDED", _) | ("DEPROVISIONED", Some(_)) => AccountState::Contained,
        ("DEPROVISIONED", None) => AccountState::Deactivated,
        // ACTIVE, LOCKED_OUT, PASSWORD_EXPIRED, PROVISIONED, RECOVERY, STAGED, and any word that is new.
        (_, _) => AccountState::Live,
    }
}

impl User {
    /// What the account can do.
    #[must_use]
    pub fn state(&self) -> AccountState {
        account_state(&self.status, self.transitioning_to_status.as_deref())
    }

    /// The allow-list of facts: no name, no login, no profile.
    #[must_use]
    pub fn facts(&self) -> serde_json::Value {
        json!({
            "status": self.status,
            "transitioning_to": self.transitioning_to_status,
            "created": self.created,
            "status_changed": self.status_changed,
            "last_login": self.last_login,
            "realm": self.realm_id,
            // A directory behind Okta can bring the account back with its next import.
            "provider_type": self.credentials.provider.r#type,
            "provider_name": self.credentials.provider.name,
        })
    }

    /// The account in the words that every provider shares.
    #[must_use]
    pub fn into_account(self) -> Account {
        Account {
            state: self.state(),
            facts: self.facts(),
            provider_id: self.id,
            provider_state: self.status,
            attributes: AccountAttributes {
                login: self.profile.login,
                email: self.profile.email,
                given_name: self.profile.first_name,
                family_name: self.profile.last_name,
                employee_number: self.profile.employee_number,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_meaning() {
        use AccountState::{Contained, Deactivated, Live};
        for (status, transition, expected) in [
            ("ACTIVE", None, Live),
            ("LOCKED_OUT", None, Live),
            ("PASSWORD_EXPIRED", None, Live),
            ("PROVISIONED", None, Live),
            ("RECOVERY", None, Live),
            ("STAGED", None, Live),
            ("A_NEW_WORD", None, Live),
            ("SUSPENDED", None, Contained),
            ("DEPROVISIONED", None, Deactivated),
            ("ACTIVE", Some("DEPROVISIONED"), Live),
            ("SUSPENDED", Some("DEPROVISIONED"), Contained),
            ("DEPROVISIONED", Some("DEPROVISIONED"), Contained),
            ("DEPROVISIONED", Some("ACTIVE"), Live),
            ("DEPROVISIONED", Some("PROVISIONED"), Live),
            ("SUSPENDED", Some("ACTIVE"), Live),
        ] {
            assert_eq!(
                account_state(status, transition),
                expected,
                "{status} {transition:?}"
            );
        }
    }

    #[test]
    fn the_facts_name_nobody() {
        let user: User = serde_json::from_value(json!({
            "id": "00u1", "status": "ACTIVE", "unknown": [1],
            "profile": {"login": "ada@example.test", "firstName": "Ada", "extra": {}},
            "credentials": {"provider": {"type": "OKTA", "name": "OKTA"}, "password": {}},
        }))
        .unwrap();
        let facts = user.facts().to_string();
        assert!(!facts.contains("ada") && !facts.contains("Ada"), "{facts}");
        assert_eq!(
            user.into_account().attributes.login.as_deref(),
            Some("ada@example.test")
        );
    }
}
