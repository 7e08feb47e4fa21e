//! The two applications that were let into the organisation: one in Okta, one in Entra, both used by people who stay.

use anyhow::Context as _;
use serde_json::{Value, json};
use sever_domain::Provider;

use super::cast::Cast;
use crate::dev::fleet::Fleet;
use crate::dev::simulator::{Simulator, ids};
use crate::dev::systems::System;

/// How many people use the application in Okta: fewer than the mass guard lets one person disconnect.
const TRAVELLERS: usize = 25;
/// How many use the one in Entra: together with the others more than it lets.
const SURVEYED: usize = 45;
const TRAVEL_GROUP: &str = "Travellers";
const TRAVEL_LABEL: &str = "Travel Portal";
const SURVEY_LABEL: &str = "Survey Cloud";

/// One application.
#[derive(Debug, Clone)]
pub(super) struct Integration {
    /// Its name at Sever.
    pub(super) name: &'static str,
    /// Where it is.
    pub(super) provider: Provider,
    /// The provider's id: of the application in Okta, of the service principal in Entra.
    pub(super) id: String,
    /// Every id by which calls may name it.
    pub(super) ids: Vec<String>,
    /// What people call it.
    pub(super) label: &'static str,
}

/// Plants both, for people who stay, and writes `integrations.toml`.
///
/// # Errors
/// Where the simulator refuses, or the file cannot be written.
pub(super) async fn plant(fleet: &Fleet, cast: &Cast) -> anyhow::Result<[Integration; 2]> {
    let planted = [
        travel(&fleet.simulator, cast).await?,
        survey(&fleet.simulator, cast).await?,
    ];
    let integrations: Vec<Value> = planted.iter().map(entry).collect();
    let text = toml::to_string(&json!({"integration": integrations}))
        .context("writing integrations.toml")?;
    std::fs::write(fleet.home.join("integrations.toml"), text)
        .context("writing integrations.toml")?;
    Ok(planted)
}

fn entry(integration: &Integration) -> Value {
    let connection = System::of(integration.provider).connection;
    json!({
        "name": integration.name, "vendor": format!("{} Inc.", integration.label), "owner": "it-applications",
        "provider_ids": {connection: integration.id},
    })
}

/// An application of Okta with secrets, a granted scope, a group, people in it and tokens out.
async fn travel(simulator: &Simulator, cast: &Cast) -> anyhow::Result<Integration> {
    const ID: &str = "0oatravelportal00001";
    let client = json!([{"client_id": ID, "name": TRAVEL_LABEL, "tokens": [{"scopes": ["openid", "offline_access"]}]}]);
    let travellers = cast.staying().take(TRAVELLERS).enumerate();
    let users: Vec<Value> = travellers
        .map(|(number, person)| {
            let mut user = json!({"id": person.first.id, "groups": [TRAVEL_GROUP]});
            if number < 5 {
                user["apps"] = json!([TRAVEL_LABEL]);
                user["clients"] = client.clone();
            }
            user
        })
        .collect();
    let document = json!({
        "groups": [{"name": TRAVEL_GROUP}],
        "apps": [{
            "id": ID, "label": TRAVEL_LABEL, "groups": [TRAVEL_GROUP], "redirect_uris": ["https://travel.example/callback"],
            "secrets": [{}, {}], "grants": ["okta.users.read"],
        }],
        "users": users,
    });
    simulator.seed(Provider::Okta, &document).await?;
    Ok(Integration {
        name: "travel-portal",
        provider: Provider::Okta,
        id: ID.to_owned(),
        ids: vec![ID.to_owned()],
        label: TRAVEL_LABEL,
    })
}

/// An enterprise application of Entra with a secret, a key, a consent and people in it.
async fn survey(simulator: &Simulator, cast: &Cast) -> anyhow::Result<Integration> {
    let surveyed = cast
        .staying()
        .filter(|person| {
            let mut accounts = person.accounts.iter();
            accounts.any(|account| account.provider == Provider::Entra)
        })
        .take(SURVEYED)
        .map(|person| &person.first.login);
    let document = json!({"applications": [{
        "name": SURVEY_LABEL,
        "secrets": [{"name": "production"}], "keys": [{"name": "signing"}],
        "federated": [{"name": "ci", "issuer": "https://ci.example.com", "subject": "repo:survey:main"}],
        "grants": [{"scope": "User.Read Mail.Read"}],
        "assigned": surveyed.collect::<Vec<_>>(),
    }]});
    let answer = simulator.seed(Provider::Entra, &document).await?;
    let id = ids(&answer, "service_principals")?.concat();
    let principal = &answer["service_principals"][0];
    let further = ["application_id", "app_id"].map(|member| principal[member].as_str());
    let further = further.into_iter().flatten().map(str::to_owned);
    Ok(Integration {
        name: "survey-cloud",
        provider: Provider::Entra,
        ids: std::iter::once(id.clone()).chain(further).collect(),
        id,
        label: SURVEY_LABEL,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dev::company::is_known;

    #[test]
    fn enough_people_who_stay_are_in_entra() {
        let staying = (0..500).filter(|place| place % 10 != 3);
        let in_entra = staying.filter(|place| is_known(Provider::Entra, *place));
        assert!(in_entra.count() > SURVEYED);
    }
}
