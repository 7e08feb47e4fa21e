//! A user as Graph gives it, and what its state means.

use serde::Deserialize;
use serde_json::{Value, json};
use sever_domain::AccountState;
use sever_domain::identity::AccountAttributes;
use sever_provider::Account;

/// What is asked for: without `$select` a user shows eleven members, `accountEnabled` not among them.
pub const SELECT: &str = "id,userPrincipalName,mail,givenName,surname,employeeId,accountEnabled,userType,onPremisesSyncEnabled,signInSessionsValidFromDateTime,licenseAssignmentStates,createdDateTime,deletedDateTime";

/// A user; what is not listed is ignored, what is missing is empty.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The immutable id.
    pub id: String,
    #[serde(default)]
    user_principal_name: Option<String>,
    #[serde(default)]
    mail: Option<String>,
    #[serde(default)]
    given_name: Option<String>,
    #[serde(default)]
    surname: Option<String>,
    #[serde(default)]
    employee_id: Option<String>,
    /// Absent in an answer that did not honour `$select`: the account counts as enabled then.
    #[serde(default)]
    account_enabled: Option<bool>,
    #[serde(default)]
    user_type: Option<String>,
    #[serde(default)]
    on_premises_sync_enabled: Option<bool>,
    #[serde(default)]
    sign_in_sessions_valid_from_date_time: Option<String>,
    /// Direct and inherited licences; absent where the read could not tell.
    #[serde(default)]
    pub license_assignment_states: Option<Vec<Value>>,
    #[serde(default)]
    created_date_time: Option<String>,
    #[serde(default)]
    deleted_date_time: Option<String>,
}

impl User {
    /// What the account can do. One among the deleted items is deactivated, whatever else it shows.
    #[must_use]
    pub fn state(&self) -> AccountState {
        match (&self.deleted_date_time, self.account_enabled) {
            (Some(_), _) => AccountState::Deactivated,
            (None, Some(false)) => AccountState::Contained,
            (None, Some(true) | None) => AccountState::Live,
        }
    }

    /// The same user as one among the deleted items, where it was read: the place says so even where the answer does not.
    #[must_use]
    pub fn among_the_deleted(mut self) -> Self {
        self.deleted_date_time.get_or_insert_with(String::new);
        self
    }

    /// The provider's word for that.
    #[must_use]
    pub fn provider_state(&self) -> &'static str {
        match self.state() {
            AccountState::Live => "enabled",
            AccountState::Contained => "disabled",
            AccountState::Deactivated => "deleted",
            AccountState::Absent => "absent",
        }
    }

    /// The allow-list of facts: no name, no login, no address.
    #[must_use]
    pub fn facts(&self) -> Value {
        json!({
            "enabled": self.account_enabled,
            "type": self.user_type,
            // A local directory can bring the account back with its next sync.
            "synced": self.on_premises_sync_enabled == Some(true),
            "sessions_valid_from": self.sign_in_sessions_valid_from_date_time,
            "created": self.created_date_time,
            "deleted": self.deleted_date_time,
        })
    }

    /// The user principal name. Among the deleted items it can be shown behind the id, without its dashes.
    #[must_use]
    pub fn login(&self) -> Option<&str> {
        let shown = self.user_principal_name.as_deref()?;
        let prefix = self.id.replace('-', "");
        let rest = shown
            .get(..prefix.len())
            .filter(|start| self.deleted_date_time.is_some() && start.eq_ignore_ascii_case(&prefix))
            .map(|start| &shown[start.len()..]);
        Some(rest.filter(|rest| !rest.is_empty()).unwrap_or(shown))
    }

    /// Whether `address` is its login or mail.
    #[must_use]
    pub fn answers_to(&self, address: &str) -> bool {
        [self.login(), self.mail.as_deref()]
            .into_iter()
            .flatten()
            .any(|known| known.trim().to_lowercase() == address.trim().to_lowercase())
    }

    /// The account in the words that every provider shares.
    #[must_use]
    pub fn into_account(self) -> Account {
        Account {
            state: self.state(),
            provider_state: self.provider_state().to_owned(),
            facts: self.facts(),
            attributes: AccountAttributes {
                login: self.login().map(str::to_owned),
                email: self.mail,
                given_name: self.given_name,
                family_name: self.surname,
                employee_number: self.employee_id,
            },
            provider_id: self.id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(more: Value) -> User {
        let mut value =
            json!({"id": "u", "userPrincipalName": "ada@example.test", "givenName": "Ada"});
        for (name, member) in more.as_object().unwrap() {
            value[name] = member.clone();
        }
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn every_state_has_its_meaning() {
        for (more, expected) in [
            (json!({"accountEnabled": true}), AccountState::Live),
            (json!({"accountEnabled": false}), AccountState::Contained),
            (json!({}), AccountState::Live),
            (json!({"accountEnabled": null}), AccountState::Live),
            (
                json!({"accountEnabled": true, "deletedDateTime": "2026-01-01T00:00:00Z"}),
                AccountState::Deactivated,
            ),
        ] {
            assert_eq!(user(more.clone()).state(), expected, "{more}");
        }
    }

    #[test]
    fn a_deleted_login_is_known_with_and_without_the_id_before_it() {
        let deleted = |name: &str| {
            user(
                json!({"id": "ab-12", "userPrincipalName": name, "deletedDateTime": "2026-01-01T00:00:00Z"}),
            )
        };
        for shown in [
            "ab12ada@example.test",
            "AB12ada@example.test",
            "ada@example.test",
        ] {
            assert!(deleted(shown).answers_to("ada@example.test"), "{shown}");
        }
        assert!(!deleted("ab12ada@example.test").answers_to("ab12ada@example.test"));
        let live = user(json!({"id": "ab-12", "userPrincipalName": "ab12ada@example.test"}));
        assert!(live.answers_to("ab12ada@example.test") && !live.answers_to("ada@example.test"));
    }

    #[test]
    fn the_facts_name_nobody_and_the_attributes_do() {
        let user = user(json!({"mail": "A.Kim@example.test"}));
        let facts = user.facts().to_string().to_lowercase();
        assert!(!facts.contains("ada") && !facts.contains("kim"), "{facts}");
        assert!(user.answers_to("ADA@example.test ") && user.answers_to("a.kim@example.test"));
        assert_eq!(
            user.into_account().attributes.given_name.as_deref(),
            Some("Ada")
        );
    }
}
