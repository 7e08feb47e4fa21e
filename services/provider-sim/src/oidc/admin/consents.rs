//! Consents, and the clients with offline tokens.

use serde_json::{Value, json};

use super::user;
use crate::exchange::Reply;
use crate::oidc::error::Refusal;
use crate::oidc::state::Realm;
use crate::passage::Call;

/// `GET users/{id}/consents`: clients with a consent, an offline token or both.
pub fn list(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let user = user(realm, call)?;
    let offline = |uuid: &str| {
        let mut sessions = realm.sessions_of(&user.id, true);
        sessions.any(|session| session.clients.contains(uuid))
    };
    let clients = realm.clients.values();
    let shown: Vec<Value> = clients
        .filter_map(|client| {
            let consent = user.consents.get(&client.uuid);
            let offline = offline(&client.uuid);
            if consent.is_none() && !offline {
                return None;
            }
            let mut shown = json!({ "clientId": client.client_id });
            if let Some(scopes) = consent {
                shown["grantedClientScopes"] = json!(scopes);
            }
            if offline {
                let grant = json!({ "client": client.uuid, "key": "Offline Token" });
                shown["additionalGrants"] = json!([grant]);
            }
            Some(shown)
        })
        .collect();
    Ok(Reply::json(200, &shown))
}

/// `DELETE users/{id}/consents/{client id}`: the consent and the offline tokens; 404 where there is neither.
pub fn revoke(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    user(realm, call)?;
    let client = realm.client_named(call.argument(2));
    let client = client.ok_or(Refusal::new(404, "Client not found"))?;
    let uuid = client.uuid.clone();
    match realm.withdraw_consent(call.argument(1), &uuid) {
        true => Ok(Reply::empty(204)),
        false => Err(Refusal::new(404, "Consent nor offline token not found")),
    }
}
