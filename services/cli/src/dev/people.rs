//! The directory of the HR system, as it would export it.

use anyhow::Context as _;

use super::fleet::{CONNECTION, SOURCE};
use super::simulator::SeededUser;

/// The id that the HR system has for the person at this place, from 0.
pub(crate) fn external_id(place: usize) -> String {
    format!("E-{:04}", place + 1)
}

/// `people.csv` with one line for each person, who has one or more accounts; the first one gives the name.
///
/// # Errors
/// Where a line cannot be written.
pub(crate) fn people_csv(people: &[Vec<SeededUser>]) -> anyhow::Result<Vec<u8>> {
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
    for (place, accounts) in people.iter().enumerate() {
        let first = accounts.first().context("a person without an account")?;
        let ids: Vec<String> = accounts
            .iter()
            .map(|account| format!("{CONNECTION}:{}", account.id))
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
    use super::*;

    #[test]
    fn a_person_with_two_accounts_is_one_line() {
        let user = |id: &str| SeededUser {
            id: id.into(),
            login: format!("{id}@example.com"),
            first_name: "Ada".into(),
            last_name: "Kim".into(),
        };
        let (ada, admin) = (user("00u1"), user("00u2"));
        let csv = people_csv(&[vec![ada, admin]]).unwrap();
        let text = String::from_utf8(csv).unwrap();
        assert_eq!(
            text.lines().nth(1),
            Some("hr,E-0001,Ada,Kim,00u1@example.com,active,okta-main:00u1;okta-main:00u2")
        );
    }
}
