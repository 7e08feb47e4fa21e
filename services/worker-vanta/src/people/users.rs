//! Logins to Vanta: the list of active ones, matched here.

use serde::Deserialize;

use super::person::{Person, same_address};
use crate::errors::Refused;
use crate::paging::{Listed, list};
use crate::tenant::{Ask, Tenant};

/// An active login. Personal data: never logged.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The immutable id.
    pub id: String,
    #[serde(default)]
    email: Option<String>,
    /// Whether it can be used; the list shows no others, as documented.
    #[serde(default = "yes")]
    pub is_active: bool,
}

const fn yes() -> bool {
    true
}

impl User {
    /// Its address, where it has one.
    pub fn address(&self) -> Option<&str> {
        let address = self.email.as_deref()?.trim();
        (!address.is_empty()).then_some(address)
    }
}

impl Listed for User {
    fn id(&self) -> &str {
        &self.id
    }
}

/// The active login of a person: the one that the record names, or else one with the record's address.
///
/// # Errors
/// As any list.
pub async fn active_login(tenant: &Tenant, person: &Person) -> Result<Option<String>, Refused> {
    let users = active(tenant).await?;
    Ok(of_person(&users, person).map(str::to_owned))
}

/// Whether somebody signs in with one of these addresses.
///
/// # Errors
/// As any list.
pub async fn signs_in(tenant: &Tenant, emails: &[String]) -> Result<bool, Refused> {
    let users = active(tenant).await?;
    Ok(users.iter().filter(|user| user.is_active).any(|user| {
        let own = user.email.as_deref().unwrap_or_default();
        emails.iter().any(|email| same_address(own, email))
    }))
}

/// Every active login.
///
/// # Errors
/// As any list.
pub async fn active(tenant: &Tenant) -> Result<Vec<User>, Refused> {
    let ask = Ask {
        doing: "reading the active logins",
        family: "users",
        path: &["users"],
        query: &[],
    };
    list(tenant, ask).await
}

fn of_person<'a>(users: &'a [User], person: &Person) -> Option<&'a str> {
    let linked = person.user_id.as_ref().and_then(Option::as_ref);
    let active = users.iter().filter(|user| user.is_active);
    let by_id = active.clone().find(|user| Some(&user.id) == linked);
    let by_email = || {
        let mut own = active.filter(|user| {
            let email = user.email.as_deref();
            email.is_some_and(|email| person.has_email(email))
        });
        own.next()
    };
    by_id.or_else(by_email).map(|user| user.id.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn found(person: Value, users: Value) -> Option<String> {
        let person: Person = serde_json::from_value(person).unwrap();
        let users: Vec<User> = serde_json::from_value(users).unwrap();
        of_person(&users, &person).map(str::to_owned)
    }

    #[test]
    fn a_login_is_found_by_its_link_before_its_address() {
        let users = json!([
            { "id": "u1", "email": "ADA@example.test" }, { "id": "u2", "email": "old@example.test" },
            { "id": "u3", "email": "gone@example.test", "isActive": false },
        ]);
        let linked = json!({ "id": "p", "userId": "u2", "emailAddress": "ada@example.test" });
        assert_eq!(found(linked, users.clone()).as_deref(), Some("u2"));
        let by_email = json!({ "id": "p", "userId": null, "emailAddress": "ada@example.test" });
        assert_eq!(found(by_email, users.clone()).as_deref(), Some("u1"));
        let stale = json!({ "id": "p", "userId": "u9", "emailAddress": "ada@example.test" });
        assert_eq!(
            found(stale, users.clone()).as_deref(),
            Some("u1"),
            "a second login counts"
        );
        for nobody in [
            json!({ "id": "p", "emailAddress": "gone@example.test" }),
            json!({ "id": "p" }),
        ] {
            assert_eq!(found(nobody, users.clone()), None);
        }
    }
}
