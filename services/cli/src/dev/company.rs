//! The company: its people, known in one system or in several.

use anyhow::{Context as _, ensure};
use reqwest::Method;
use serde_json::json;
use sever_domain::Provider;

use super::belongings;
use super::simulator::{SeededUser, Simulator, ids};
use super::systems::SYSTEMS;

/// The domain of their addresses.
pub(crate) const DOMAIN: &str = "example.com";

/// Somebody who works there.
#[derive(Debug, Clone)]
pub(crate) struct Employee {
    /// The account in Okta, which gives the name.
    pub(crate) first: SeededUser,
    /// All accounts, by the system's provider and the provider's id.
    pub(crate) accounts: Vec<Account>,
}

/// One account of somebody.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Account {
    /// The system's provider.
    pub(crate) provider: Provider,
    /// The provider's id.
    pub(crate) id: String,
}

/// Seeds all five systems: everybody is in Okta, half of them in Entra, a third each in the SCIM application and in Keycloak, a few
/// in Vanta. The same for the same number.
///
/// # Errors
/// Where the simulator refuses.
pub(crate) async fn seed(simulator: &Simulator, people: usize) -> anyhow::Result<Vec<Employee>> {
    let wish = json!({"people": people, "domain": DOMAIN});
    let order = "/seed-directory";
    let answer = simulator
        .order(Provider::Okta, Method::POST, order, Some(&wish))
        .await?;
    let users: Vec<SeededUser> = serde_json::from_value(answer["users"].clone())
        .context("reading the simulator's list of users")?;
    ensure!(
        users.len() == people,
        "the simulator seeded {} people and not {people}",
        users.len()
    );
    let mut company: Vec<Employee> = users.into_iter().map(employee).collect();
    for system in SYSTEMS {
        if system.provider != Provider::Okta {
            join(simulator, system.provider, &mut company).await?;
        }
    }
    Ok(company)
}

/// Whether the person at this place, from 0, is known in the provider's system.
pub(crate) const fn is_known(provider: Provider, place: usize) -> bool {
    // Everybody whose place ends in 03 is known everywhere, and so is the first one.
    let everywhere = place == 0 || place % 100 == 3;
    let share = place / 10 + place;
    match provider {
        Provider::Okta => true,
        Provider::Entra => everywhere || share.is_multiple_of(2),
        Provider::Scim => everywhere || share.is_multiple_of(3),
        Provider::Oidc => everywhere || share % 3 == 2,
        Provider::Vanta => everywhere || place % 50 == 7,
    }
}

fn employee(first: SeededUser) -> Employee {
    let accounts = vec![Account {
        provider: Provider::Okta,
        id: first.id.clone(),
    }];
    Employee { first, accounts }
}

/// Gives everybody who is known in the provider's system an account there.
async fn join(
    simulator: &Simulator,
    provider: Provider,
    company: &mut [Employee],
) -> anyhow::Result<()> {
    let places: Vec<usize> = (0..company.len())
        .filter(|place| is_known(provider, *place))
        .collect();
    let people: Vec<(usize, &SeededUser)> = places
        .iter()
        .map(|place| (*place, &company[*place].first))
        .collect();
    if provider == Provider::Entra {
        // Teams, groups of each kind, applications and subscriptions, with one person of another company.
        let surroundings = json!({"people": 1, "domain": "partner.example"});
        let order = "/seed-directory";
        simulator
            .order(provider, Method::POST, order, Some(&surroundings))
            .await?;
    }
    let document = belongings::document(provider, &people);
    let answer = simulator.seed(provider, &document).await?;
    let list = match provider {
        Provider::Vanta => "people",
        _ => "users",
    };
    let accounts = ids(&answer, list)?;
    ensure!(
        accounts.len() == places.len(),
        "the simulated {provider} seeded {} people and not {}",
        accounts.len(),
        places.len()
    );
    for (place, id) in places.into_iter().zip(accounts) {
        company[place].accounts.push(Account { provider, id });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_is_known_everywhere_and_nobody_nowhere() {
        let systems = |place| {
            let known = Provider::ALL.iter();
            known.filter(|provider| is_known(**provider, place)).count()
        };
        assert_eq!((systems(0), systems(103)), (5, 5));
        assert!((0..500).all(|place| systems(place) >= 1));
        assert!((0..500).any(|place| systems(place) == 1));
    }
}
