//! A user as an application gives it.

use serde_json::json;
use sever_domain::AccountState;
use sever_domain::identity::AccountAttributes;
use sever_provider::Account;

use crate::app::App;
use crate::credential::FinalState;
use crate::document::{Document, boolean, item_key, member, member_id, text_of};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A user; the document is kept whole, because a PUT must send it back whole.
#[derive(Debug, Clone)]
pub struct User {
    /// The immutable id.
    pub id: String,
    /// Everything that came.
    pub document: Document,
    /// The version for `If-Match`, where the application gives one.
    pub version: Option<String>,
}

/// A membership as the user's own `groups` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedGroup {
    /// The group's id.
    pub id: String,
    /// Its name.
    pub display: Option<String>,
    /// Given by another group rather than by itself.
    pub indirect: bool,
}

impl User {
    /// The user in a document; `None` where it has no id.
    #[must_use]
    pub fn of(document: Document, header_version: Option<&str>) -> Option<Self> {
        let meta_version = || {
            let meta = document.get("meta")?.as_object()?;
            member(meta, "version").and_then(text_of)
        };
        Some(Self {
            id: document.text("id")?,
            version: header_version.map(str::to_owned).or_else(meta_version),
            document,
        })
    }

    /// `active`; none where the application does not say.
    #[must_use]
    pub fn active(&self) -> Option<bool> {
        self.document.get("active").and_then(boolean)
    }

    /// What the account can do: an application that does not say takes it for active.
    #[must_use]
    pub fn state(&self, app: &App) -> AccountState {
        let is_final =
            app.final_state == FinalState::Inactive || app.dialects.keeps_deleted.is_known();
        match (self.active(), is_final) {
            (Some(false), true) => AccountState::Deactivated,
            (Some(false), false) => AccountState::Contained,
            (Some(true) | None, _) => AccountState::Live,
        }
    }

    /// The application's own word.
    #[must_use]
    pub fn provider_state(&self) -> &'static str {
        match self.active() {
            Some(true) => "active",
            Some(false) => "inactive",
            None => "without active",
        }
    }

    /// The groups that the user's own document names; none where it has no such attribute.
    #[must_use]
    pub fn groups(&self) -> Option<Vec<NamedGroup>> {
        let groups = self.document.items("groups")?;
        let named = |item: &&serde_json::Value| {
            let text = |name| {
                let object = item.as_object()?;
                member(object, name).and_then(text_of)
            };
            NamedGroup {
                // One that names no group cannot be read, and must not be left out.
                id: member_id(item).unwrap_or_default(),
                display: text("display"),
                indirect: text("type").is_some_and(|kind| kind.eq_ignore_ascii_case("indirect")),
            }
        };
        Some(groups.iter().map(named).collect())
    }

    /// Everything that the user is known by at the application: `userName` and addresses.
    pub fn logins(&self) -> impl Iterator<Item = String> {
        let name = self.document.text("userName");
        name.into_iter().chain(self.addresses())
    }

    /// The values of `emails`.
    pub fn addresses(&self) -> impl Iterator<Item = String> + use<> {
        let emails = self.document.items("emails").unwrap_or_default();
        let emails: Vec<String> = emails.into_iter().filter_map(item_key).collect();
        emails.into_iter()
    }

    /// What the account can be matched by.
    #[must_use]
    pub fn attributes(&self) -> AccountAttributes {
        let name = self.document.get("name").and_then(|name| name.as_object());
        let part = |part| name.and_then(|name| member(name, part)).and_then(text_of);
        let enterprise = self.document.get(ENTERPRISE);
        let number = enterprise
            .and_then(|extension| extension.as_object())
            .and_then(|extension| member(extension, "employeeNumber"))
            .and_then(text_of);
        AccountAttributes {
            login: self.document.text("userName"),
            email: self.email(),
            given_name: part("givenName"),
            family_name: part("familyName"),
            employee_number: number.or_else(|| self.document.text("externalId")),
        }
    }

    /// The primary address, else the first.
    fn email(&self) -> Option<String> {
        let emails = self.document.items("emails")?;
        let is_primary = |item: &&&serde_json::Value| {
            let object = item.as_object();
            object
                .and_then(|object| member(object, "primary"))
                .and_then(boolean)
                .unwrap_or(false)
        };
        let first = emails.iter().find(is_primary).or_else(|| emails.first());
        first.and_then(|item| item_key(item))
    }

    /// What is kept of it.
    #[must_use]
    pub fn facts(&self) -> serde_json::Value {
        json!({ "active": self.active() })
    }

    /// The account that it stands for.
    #[must_use]
    pub fn into_account(self, app: &App) -> Account {
        Account {
            state: self.state(app),
            provider_state: self.provider_state().to_owned(),
            attributes: self.attributes(),
            facts: self.facts(),
            provider_id: self.id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(value: serde_json::Value) -> User {
        User::of(Document::of(value).unwrap(), None).unwrap()
    }

    #[test]
    fn attributes_are_found_whatever_the_spelling_and_the_shape() {
        let user = user(json!({
            "ID": "u1", "USERNAME": "ada", "Active": "False", "Unknown": [{"x": null}],
            "Emails": [{"Value": "b@example.com"}, {"value": "a@example.com", "primary": "true"}],
            "name": {"GivenName": "Ada", "familyName": "Byron"}, "externalId": 7,
            "groups": [{"value": "g1", "display": "G", "type": "Indirect"}, "g2"],
        }));
        assert_eq!(user.active(), Some(false));
        let attributes = user.attributes();
        assert_eq!(attributes.login.as_deref(), Some("ada"));
        assert_eq!(attributes.email.as_deref(), Some("a@example.com"));
        assert_eq!(attributes.given_name.as_deref(), Some("Ada"));
        assert_eq!(attributes.employee_number.as_deref(), Some("7"));
        let logins: Vec<String> = user.logins().collect();
        assert_eq!(logins, ["ada", "b@example.com", "a@example.com"]);
        let groups = user.groups().unwrap();
        assert_eq!((groups[0].indirect, groups[1].id.as_str()), (true, "g2"));
    }

    #[test]
    fn the_enterprise_number_comes_before_the_external_id() {
        let user =
            user(json!({"id": "u", "externalId": "x", ENTERPRISE: {"employeeNumber": "E7"}}));
        assert_eq!(user.attributes().employee_number.as_deref(), Some("E7"));
        assert_eq!((user.active(), user.groups()), (None, None));
    }
}
