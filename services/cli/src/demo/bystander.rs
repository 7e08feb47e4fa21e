//! Somebody who stays: all that may change for them is what an integration gave them.

use serde_json::Value;
use sever_domain::Provider;

use super::integrations::Integration;

/// The account as it is, without what belongs to the integrations of its system.
pub(super) fn without(provider: Provider, state: &Value, integrations: &[Integration]) -> Value {
    let mut state = state.clone();
    let here: Vec<&Integration> = integrations
        .iter()
        .filter(|integration| integration.provider == provider)
        .collect();
    // The member of the state, the member of its items that names the application, and the word in `live` that counts them.
    let places: &[(&str, &str, &str)] = match provider {
        Provider::Okta => &[("apps", "id", "apps"), ("clients", "client_id", "tokens")],
        Provider::Entra => &[
            ("app_roles", "resourceId", "app_roles"),
            ("grants", "clientId", "grants"),
        ],
        Provider::Vanta | Provider::Scim | Provider::Oidc => &[],
    };
    for (list, names, counted) in places {
        if let Some(items) = state[*list].as_array_mut() {
            items.retain(|item| {
                let named = item[*names].as_str().unwrap_or_default();
                !here.iter().any(|integration| integration.id == named)
            });
        }
        // What is counted is compared item by item.
        if let Some(live) = state["live"].as_array_mut() {
            let prefix = format!("{counted}:");
            live.retain(|word| !word.as_str().is_some_and(|word| word.starts_with(&prefix)));
        }
    }
    state
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_integration_may_go_and_nothing_else() {
        let integration = Integration {
            name: "travel-portal",
            provider: Provider::Okta,
            id: "0oa1".into(),
            ids: vec!["0oa1".into()],
            label: "Travel Portal",
        };
        let seen =
            |state: Value| without(Provider::Okta, &state, std::slice::from_ref(&integration));
        let before = json!({"live": ["account:1", "apps:2"], "apps": [{"id": "0oa1"}, {"id": "0oa2"}], "groups": [1]});
        let after =
            json!({"live": ["account:1", "apps:1"], "apps": [{"id": "0oa2"}], "groups": [1]});
        assert_eq!(seen(before.clone()), seen(after));
        for harm in [
            json!({"live": ["account:1"], "apps": [], "groups": [1]}),
            json!({"live": ["account:1", "apps:1"], "apps": [{"id": "0oa2"}], "groups": []}),
            json!({"live": ["apps:1"], "apps": [{"id": "0oa2"}], "groups": [1]}),
        ] {
            assert_ne!(seen(before.clone()), seen(harm));
        }
    }
}
