//! Identity: when an account at a provider is believed to be a person's.

use serde::{Deserialize, Serialize};

use crate::text_enum::text_enum;

text_enum! {
    /// What is known of a binding.
    pub enum BindingState {
        /// Somebody said so; not yet read.
        Candidate = "candidate",
        /// Re-read by its immutable id, or matched on two attributes.
        Confirmed = "confirmed",
        /// Several could be meant.
        Ambiguous = "ambiguous",
        /// Re-read and found to be somebody else's, or gone.
        Refuted = "refuted",
    }
}

text_enum! {
    /// Why a binding is believed.
    pub enum BindingBasis {
        /// A trusted source listed the id, and a read by that id found it.
        SourceListed = "source_listed",
        /// A lookup by login, with two attributes that agree.
        LoginAndAttributes = "login_and_attributes",
        /// An operator said so.
        Operator = "operator",
    }
}

/// The attributes by which a person is matched with an account. Personal data: never logged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PersonAttributes {
    /// Every e-mail address of the person; each may also be a login.
    pub emails: Vec<String>,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// The person's keys at the sources, which some providers carry as an employee number.
    pub external_ids: Vec<String>,
}

/// The same attributes of an account, as the provider gave them. Personal data: never logged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountAttributes {
    /// The login.
    pub login: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// Employee number.
    pub employee_number: Option<String>,
}

/// Whether an account is the person's by at least two independent attributes: mail (login or e-mail),
/// full name, employee number. An e-mail alone never suffices.
#[must_use]
pub fn matches_on_two(person: &PersonAttributes, account: &AccountAttributes) -> bool {
    let mail = person.emails.iter().any(|email| {
        same(account.login.as_deref(), email) || same(account.email.as_deref(), email)
    });
    let name = match (&person.given_name, &person.family_name) {
        (Some(given), Some(family)) => {
            same(account.given_name.as_deref(), given)
                && same(account.family_name.as_deref(), family)
        }
        (None, _) | (_, None) => false,
    };
    let number = account
        .employee_number
        .as_deref()
        .is_some_and(|number| person.external_ids.iter().any(|id| id == number));
    [mail, name, number]
        .into_iter()
        .filter(|agrees| *agrees)
        .count()
        >= 2
}

/// Compares as people write: outer blanks and case do not count. An empty value never agrees.
fn same(account: Option<&str>, person: &str) -> bool {
    let person = person.trim();
    account.is_some_and(|account| {
        !person.is_empty() && account.trim().to_lowercase() == person.to_lowercase()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> PersonAttributes {
        PersonAttributes {
            emails: vec!["ada@example.test".into()],
            given_name: Some("Ada".into()),
            family_name: Some("Byron".into()),
            external_ids: vec!["E7".into()],
        }
    }

    #[test]
    fn a_mail_alone_never_confirms() {
        let account = AccountAttributes {
            login: Some("ada@example.test".into()),
            email: Some("ada@example.test".into()),
            ..Default::default()
        };
        assert!(!matches_on_two(&person(), &account));
    }

    #[test]
    fn two_of_three_confirm_whatever_the_case() {
        let mail_and_name = AccountAttributes {
            login: Some("ADA@example.test ".into()),
            given_name: Some("ada".into()),
            family_name: Some("BYRON".into()),
            ..Default::default()
        };
        let name_and_number = AccountAttributes {
            given_name: Some("Ada".into()),
            family_name: Some("Byron".into()),
            employee_number: Some("E7".into()),
            ..Default::default()
        };
        assert!(matches_on_two(&person(), &mail_and_name));
        assert!(matches_on_two(&person(), &name_and_number));
    }

    #[test]
    fn empty_values_never_agree() {
        let nobody = PersonAttributes {
            emails: vec![String::new()],
            given_name: Some(String::new()),
            family_name: Some(String::new()),
            external_ids: vec![],
        };
        let account = AccountAttributes {
            login: Some(String::new()),
            given_name: Some(String::new()),
            family_name: Some(String::new()),
            ..Default::default()
        };
        assert!(!matches_on_two(&nobody, &account));
    }
}
