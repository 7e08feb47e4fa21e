//! Accounts at Keycloak: reading one by id, looking for a person's, and the reads that prove tenant and credential.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Value, json};
use sever_domain::identity::{AccountAttributes, PersonAttributes};
use sever_domain::{AccountState, OutcomeClass};
use sever_provider::{Account, CallError, FoundAccount};
use tokio::time::Instant;

use crate::admin::{Ask, CLIENTS, REALM, USERS};
use crate::errors::Meaning;
use crate::issuer::{Issuer, Refused, inconsistent, unusable};
use crate::listing::list;

/// Attributes in which organisations keep employee numbers.
const NUMBERS: [&str; 3] = ["employeeNumber", "employee_number", "employeeId"];

/// A user; the representation is kept whole, because a PUT must send it back whole.
#[derive(Debug, Clone)]
pub struct User {
    /// The immutable id.
    pub id: String,
    /// Everything that came.
    pub representation: Value,
}

impl User {
    /// The user that a representation is.
    ///
    /// # Errors
    /// The representation, where it has no id.
    pub fn of(representation: Value) -> Result<Self, Value> {
        match representation["id"].as_str().map(str::to_owned) {
            Some(id) => Ok(Self { id, representation }),
            None => Err(representation),
        }
    }

    /// Whether the account may be used; one that does not say may.
    #[must_use]
    pub fn enabled(&self) -> bool {
        self.representation["enabled"].as_bool().unwrap_or(true)
    }

    /// What the account can do. Keycloak has no other end than this: a disabled user can neither sign in nor renew a
    /// token.
    #[must_use]
    pub fn state(&self) -> AccountState {
        if self.enabled() {
            AccountState::Live
        } else {
            AccountState::Deactivated
        }
    }

    /// The provider's own word.
    #[must_use]
    pub fn provider_state(&self) -> &'static str {
        if self.enabled() {
            "enabled"
        } else {
            "disabled"
        }
    }

    /// What is kept of it.
    #[must_use]
    pub fn facts(&self) -> Value {
        json!({ "enabled": self.enabled(), "not_before": self.representation["notBefore"] })
    }

    fn text(&self, name: &str) -> Option<String> {
        let text = self.representation[name].as_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn number(&self) -> Option<String> {
        let attributes = &self.representation["attributes"];
        let number = |name: &&str| {
            let value = &attributes[*name];
            let first = value.get(0).unwrap_or(value);
            first.as_str().map(str::to_owned)
        };
        NUMBERS.iter().find_map(number)
    }

    /// The account that it stands for.
    #[must_use]
    pub fn into_account(self) -> Account {
        Account {
            state: self.state(),
            provider_state: self.provider_state().to_owned(),
            attributes: AccountAttributes {
                login: self.text("username"),
                email: self.text("email"),
                given_name: self.text("firstName"),
                family_name: self.text("lastName"),
                employee_number: self.number(),
            },
            facts: self.facts(),
            provider_id: self.id,
        }
    }
}

/// Reads the user with this id; `None` where Keycloak has none.
///
/// # Errors
/// As any read; class `NeedsPerson` where another user came back.
pub async fn user_by_id(
    issuer: &Issuer,
    id: &str,
    until: Option<Instant>,
) -> Result<Option<User>, CallError> {
    const DOING: &str = "reading the account";
    let ask = Ask {
        doing: DOING,
        family: USERS,
        path: &["users", id],
        query: &[],
    };
    let found = issuer.find::<Value>(ask, until).await;
    let Some(representation) = found.map_err(|refused| refused.error)? else {
        return Ok(None);
    };
    let user =
        User::of(representation).map_err(|_| inconsistent(DOING, "the answer is not a user"))?;
    if user.id == id {
        Ok(Some(user))
    } else {
        let what = "the provider answered with another account than the one asked for";
        Err(unusable(DOING, what.to_owned()))
    }
}

/// [`sever_provider::Connector::find_by_id`].
///
/// # Errors
/// As [`user_by_id`].
pub async fn find_by_id(issuer: &Issuer, id: &str) -> Result<FoundAccount, CallError> {
    Ok(match user_by_id(issuer, id, None).await? {
        Some(user) => FoundAccount::Present(Box::new(user.into_account())),
        None => FoundAccount::Absent,
    })
}

/// Looks for each of the person's addresses as user name and as address. What comes back is compared here, because
/// `exact` is not known to older servers, which answer with everybody who contains it.
///
/// # Errors
/// As any list.
pub async fn find_by_login(
    issuer: &Issuer,
    person: &PersonAttributes,
) -> Result<Vec<Account>, CallError> {
    let mut found = Vec::new();
    let mut known = HashSet::new();
    let emails = person.emails.iter().map(|email| email.trim());
    for email in emails.filter(|email| !email.is_empty()) {
        for name in ["username", "email"] {
            let ask = Ask {
                doing: "looking for an account by login",
                family: USERS,
                path: &["users"],
                query: &[(name, email), ("exact", "true")],
            };
            let users = list(issuer, ask).await.map_err(|refused| refused.error)?;
            for user in users.into_iter().filter_map(|user| User::of(user).ok()) {
                let names = [user.text("username"), user.text("email")];
                let is_theirs = names
                    .into_iter()
                    .flatten()
                    .any(|name| name.trim().to_lowercase() == email.to_lowercase());
                if is_theirs && known.insert(user.id.clone()) {
                    found.push(user.into_account());
                }
            }
        }
    }
    Ok(found)
}

/// The realm names itself, to whoever holds any role in its administration.
///
/// # Errors
/// As any read; class `Credentials` where the client holds none, class `NeedsPerson` where there is no such realm.
pub async fn canary(issuer: &Issuer) -> Result<(), CallError> {
    const DOING: &str = "proving tenant and credential";
    let ask = Ask {
        doing: DOING,
        family: REALM,
        path: &[],
        query: &[],
    };
    let reply = issuer.get(ask, None).await.map_err(no_access)?;
    let realm: Value = reply
        .json()
        .map_err(|_| inconsistent(DOING, "the answer is not a realm"))?;
    if realm["realm"].as_str() == issuer.realm.as_deref() {
        return Ok(());
    }
    let what = "the provider answered with another realm than the connection's";
    Err(unusable(DOING, what.to_owned()))
}

fn no_access(refused: Refused) -> CallError {
    let class = match refused.meaning {
        Meaning::Forbidden => OutcomeClass::Credentials,
        Meaning::Gone | Meaning::Unsupported => OutcomeClass::NeedsPerson,
        _ => refused.error.class,
    };
    CallError {
        class,
        ..refused.error
    }
}

/// The user that our own client acts as.
///
/// # Errors
/// As any read; `None` where the client may not look.
pub async fn own(issuer: &Issuer) -> Result<Option<String>, CallError> {
    let Some(client) = own_client(issuer).await? else {
        return Ok(None);
    };
    let ask = Ask {
        doing: "reading the credential's own account",
        family: CLIENTS,
        path: &["clients", &client, "service-account-user"],
        query: &[],
    };
    match issuer.find::<Value>(ask, None).await {
        Ok(user) => Ok(user.and_then(|user| Some(user["id"].as_str()?.to_owned()))),
        Err(refused) if refused.meaning == Meaning::Forbidden => Ok(None),
        Err(refused) => Err(refused.error),
    }
}

/// The internal id of our own client.
///
/// # Errors
/// As any list; `None` where the client may not look.
pub async fn own_client(issuer: &Issuer) -> Result<Option<String>, CallError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Client {
        id: String,
        client_id: String,
    }
    let ask = Ask {
        doing: "reading the credential's own client",
        family: CLIENTS,
        path: &["clients"],
        query: &[("clientId", &issuer.client.id)],
    };
    // Keycloak does not know pages here, and shows the one client again and again: the first answer is looked at alone, and
    // all pages only where a server does not look at `clientId`.
    let of_ours = |clients: Vec<Value>| {
        let mut clients = clients
            .into_iter()
            .filter_map(|it| serde_json::from_value(it).ok());
        clients
            .find(|it: &Client| it.client_id == issuer.client.id)
            .map(|it| it.id)
    };
    let first = match issuer.find::<Vec<Value>>(ask, None).await {
        Ok(first) => first.unwrap_or_default(),
        Err(refused) if refused.meaning == Meaning::Forbidden => return Ok(None),
        Err(refused) => return Err(refused.error),
    };
    let is_all = first.is_empty();
    if let Some(own) = of_ours(first) {
        return Ok(Some(own));
    }
    if is_all {
        return Ok(None);
    }
    let all = list(issuer, ask).await.map_err(|refused| refused.error)?;
    Ok(of_ours(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_read_tolerantly() {
        let user = User::of(json!({
            "id": "u1", "username": "ada", "enabled": false, "email": "", "unknown": [null],
            "attributes": {"employeeNumber": ["E7"], "x": null},
        }))
        .unwrap();
        assert_eq!(user.state(), AccountState::Deactivated);
        let account = user.into_account();
        assert_eq!(account.attributes.login.as_deref(), Some("ada"));
        assert_eq!(
            (
                account.attributes.email,
                account.attributes.employee_number.as_deref()
            ),
            (None, Some("E7"))
        );
        assert_eq!(
            User::of(json!({"id": "u"})).unwrap().state(),
            AccountState::Live
        );
        assert!(User::of(json!({"username": "x"})).is_err());
    }
}
