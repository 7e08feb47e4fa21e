//! The directory of the HR system, as it would export it.

use anyhow::Context as _;

use super::company::Employee;
use super::fleet::SOURCE;
use super::systems::System;

/// The id that the HR system has for the person at this place, from 0.
pub(crate) fn external_id(place: usize) -> String {
    format!("E-{:04}", place + 1)
}

/// `people.csv` with one line for each person, who has one or more accounts.
///
/// # Errors
/// Where a line cannot be written.
pub(crate) fn people_csv(people: &[Employee]) -> anyhow::Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record([
        "source",
        "external_id",
        "given_name",
        "family_name",
        "emails",
        "employment_state",
        "provider_ids",
    ])?;
    for (place, person) in people.iter().enumerate() {
        let first = &person.first;
        let accounts = person.accounts.iter();
        let ids: Vec<String> = accounts
            .map(|account| format!("{}:{}", System::of(account.provider).connection, account.id))
            .collect();
        csv.write_record([
            SOURCE,
            &external_id(place),
            &first.first_name,
            &first.last_name,
            &first.login,
            "active",
            &ids.join(";"),
        ])?;
    }
    csv.into_inner().context("writing people.csv")
}

#[cfg(test)]
mod tests {
    use sever_domain::Provider;

    use super::*;
    use crate::dev::company::Account;
    use crate::dev::simulator::SeededUser;

    #[test]
    fn a_person_with_several_accounts_is_one_line() {
        let account = |provider, id: &str| Account {
            provider,
            id: id.into(),
        };
        let ada = Employee {
            first: SeededUser {
                id: "00u1".into(),
                login: "ada@example.com".into(),
                first_name: "Ada".into(),
                last_name: "Kim".into(),
            },
            accounts: vec![
                account(Provider::Okta, "00u1"),
                account(Provider::Okta, "00u2"),
                account(Provider::Scim, "7"),
            ],
        };
        let csv = people_csv(&[ada]).unwrap();
        let text = String::from_utf8(csv).unwrap();
        assert_eq!(
            text.lines().nth(1),
            Some(
                "hr,E-0001,Ada,Kim,ada@example.com,active,okta-main:00u1;okta-main:00u2;scim-wiki:7"
            )
        );
    }
}
