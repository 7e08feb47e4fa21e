//! Accounts: reading one by id or login, and what its status means.

use serde::Deserialize;
use serde_json::json;
use sever_domain::AccountState;
use sever_domain::identity::{AccountAttributes, PersonAttributes};
use sever_provider::http::Reply;
use sever_provider::{Account, CallError, FoundAccount};
use tokio::time::Instant;

use crate::errors::Meaning;
use crate::org::{Ask, Org, Refused, endpoint, inconsistent, unusable};

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

    fn into_account(self) -> Account {
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

/// Reads the user with this id; `None` where Okta has none.
///
/// # Errors
/// As any read; class `NeedsPerson` where another user came back.
pub async fn user_by_id(
    org: &Org,
    id: &str,
    until: Option<Instant>,
) -> Result<Option<User>, CallError> {
    const DOING: &str = "reading the account";
    let Some(user) = look_up(org, DOING, id, until).await? else {
        return Ok(None);
    };
    if user.id == id {
        Ok(Some(user))
    } else {
        Err(unusable(
            DOING,
            "the provider answered with another account than the one asked for".to_owned(),
        ))
    }
}

/// [`sever_provider::Connector::find_by_id`].
///
/// # Errors
/// As [`user_by_id`].
pub async fn find_by_id(org: &Org, id: &str) -> Result<FoundAccount, CallError> {
    Ok(match user_by_id(org, id, None).await? {
        Some(user) => FoundAccount::Present(Box::new(user.into_account())),
        None => FoundAccount::Absent,
    })
}

/// Looks up each of the person's addresses as a login: `GET /users/{login}` is strongly consistent, unlike
/// `search`. It also answers to ids and to logins without their domain, so the login that came back is
/// compared.
///
/// # Errors
/// As any read; class `NeedsPerson` for a login with a slash, which Okta finds by id only.
pub async fn find_by_login(
    org: &Org,
    person: &PersonAttributes,
) -> Result<Vec<Account>, CallError> {
    const DOING: &str = "looking for an account by login";
    let mut found: Vec<Account> = Vec::new();
    for login in &person.emails {
        let login = login.trim();
        if login.contains('/') {
            return Err(unusable(
                DOING,
                "a login with a slash can be found by id only; import the account's id".to_owned(),
            ));
        }
        if login.is_empty() {
            continue;
        }
        let Some(user) = look_up(org, DOING, login, None).await? else {
            continue;
        };
        let account = user.into_account();
        let same_login = account
            .attributes
            .login
            .as_deref()
            .is_some_and(|found| found.trim().to_lowercase() == login.to_lowercase());
        let known = found
            .iter()
            .any(|known| known.provider_id == account.provider_id);
        if same_login && !known {
            found.push(account);
        }
    }
    Ok(found)
}

/// The account that owns an SSWS token, which Okta calls `me`; `None` where it cannot tell.
///
/// # Errors
/// As any read.
pub async fn token_owner(org: &Org) -> Result<Option<String>, CallError> {
    let user = look_up(org, "reading the credential's owner", "me", None).await?;
    Ok(user.map(|user| user.id))
}

/// One page of one user: it cannot be empty, as the credential itself belongs to somebody.
///
/// # Errors
/// As any read; class `NeedsPerson` where the org has no user.
pub async fn canary(org: &Org) -> Result<(), CallError> {
    const DOING: &str = "proving tenant and credential";
    let ask = Ask {
        doing: DOING,
        endpoint: endpoint::USERS,
        path: &["users"],
        query: &[("limit", "1")],
    };
    let reply = org.get(ask, None).await.map_err(|refused| refused.error)?;
    let users: Vec<User> = parse(DOING, &reply)?;
    if users.is_empty() {
        let what =
            "the organization shows no user at all; check the base URL and the credential's rights";
        return Err(unusable(DOING, what.to_owned()));
    }
    Ok(())
}

async fn look_up(
    org: &Org,
    doing: &'static str,
    name: &str,
    until: Option<Instant>,
) -> Result<Option<User>, CallError> {
    let ask = Ask {
        doing,
        endpoint: endpoint::USER,
        path: &["users", name],
        query: &[],
    };
    match org.get(ask, until).await {
        Ok(reply) => parse(doing, &reply).map(Some),
        Err(Refused {
            meaning: Meaning::Gone,
            ..
        }) => Ok(None),
        Err(refused) => Err(refused.error),
    }
}

fn parse<T: serde::de::DeserializeOwned>(
    doing: &'static str,
    reply: &Reply,
) -> Result<T, CallError> {
    reply
        .json()
        .map_err(|_| inconsistent(doing, "the answer is not a user"))
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
