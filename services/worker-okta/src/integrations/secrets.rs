//! Client secrets and public keys of an application. The list of secrets shows them in clear: only ids and states are
//! taken from it.
//!
//! Okta takes no call that leaves an application without its only active secret, or without a key that it must sign
//! with, and none that ends an encryption key: those stay, and go with the application.

use serde::Deserialize;
use serde_json::{Value, json};
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use super::app::App;
use super::families::{KEY, SECRET};
use crate::errors::Meaning;
use crate::org::{Ask, Org, Refused, endpoint, inconsistent};

#[derive(Debug, Clone, Deserialize)]
struct Credential {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    r#use: Option<String>,
    #[serde(default)]
    created: Option<String>,
}

impl Credential {
    fn is_active(&self) -> bool {
        self.status.as_deref() != Some("INACTIVE")
    }

    fn signs(&self) -> bool {
        self.r#use.as_deref() != Some("enc")
    }
}

/// Reads both.
///
/// # Errors
/// As any read; class `Retry` where a credential names no id.
pub async fn read(org: &Org, app: &App) -> Result<Vec<Entitlement>, Refused> {
    let (secrets, keys) = tokio::join!(
        credentials(org, &app.id, "secrets"),
        credentials(org, &app.id, "jwks")
    );
    let (secrets, keys) = (secrets?, keys?);
    let mut found = entitlements(SECRET, &secrets, |it| stays(&secrets, it, true));
    found.extend(entitlements(KEY, &keys, |it| {
        !it.signs() || stays(&keys, it, app.needs_key())
    }));
    Ok(found)
}

/// Whether this one is the newest active one, which must stay where one must.
fn stays(all: &[Credential], one: &Credential, one_must: bool) -> bool {
    let active = all.iter().filter(|it| it.is_active() && it.signs());
    let newest = active.max_by_key(|it| (it.created.clone(), it.id.clone()));
    one_must && newest.is_some_and(|newest| newest.id == one.id)
}

fn entitlements(
    prefix: &str,
    all: &[Credential],
    stays: impl Fn(&Credential) -> bool,
) -> Vec<Entitlement> {
    let entitlement = |it: &Credential| {
        let id = it.id.as_deref().unwrap_or_default();
        Entitlement {
            kind: EntitlementKind::Secret,
            provider_key: format!("{prefix}{id}"),
            privileged: false,
            facts: json!({
                "status": it.status, "kid": it.kid, "use": it.r#use, "created": it.created, "stays": stays(it),
            }),
        }
    };
    all.iter().map(entitlement).collect()
}

async fn credentials(org: &Org, app_id: &str, kind: &str) -> Result<Vec<Credential>, Refused> {
    let ask = Ask {
        doing: "reading the application's credentials",
        endpoint: endpoint::APP_PARTS,
        path: &["apps", app_id, "credentials", kind],
        query: &[],
    };
    let reply = match org.get(ask, None).await {
        Ok(reply) => reply,
        // An application of another sign-on mode has none.
        Err(Refused {
            meaning: Meaning::Gone | Meaning::Unsupported,
            ..
        }) => return Ok(Vec::new()),
        Err(refused) => return Err(refused),
    };
    let body: Value = reply
        .json()
        .map_err(|_| inconsistent(ask.doing, "the answer is not a list of credentials"))?;
    listed(&body).ok_or_else(|| {
        inconsistent(
            ask.doing,
            "the answer is not a list of credentials with ids",
        )
        .into()
    })
}

/// An array, or the envelope that an example of the documents shows.
fn listed(body: &Value) -> Option<Vec<Credential>> {
    let items = body
        .as_array()
        .or_else(|| body["jwks"]["keys"].as_array())?;
    let read = |item: &Value| {
        let mut credential: Credential = serde_json::from_value(item.clone()).ok()?;
        credential.id = credential.id.or_else(|| credential.kid.clone());
        credential.id.is_some().then_some(credential)
    };
    items.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(items: Value) -> Vec<Credential> {
        listed(&items).unwrap()
    }

    #[test]
    fn the_newest_active_one_stays_where_one_must() {
        let secrets = of(json!([
            { "id": "a", "status": "ACTIVE", "created": "2026-01-01" }, { "id": "b", "status": "ACTIVE", "created": "2026-02-01" },
            { "id": "c", "status": "INACTIVE", "created": "2026-03-01" },
        ]));
        let stay: Vec<bool> = secrets.iter().map(|it| stays(&secrets, it, true)).collect();
        assert_eq!(stay, [false, true, false]);
        assert!(!secrets.iter().any(|it| stays(&secrets, it, false)));
        let inactive = of(json!([{ "id": "c", "status": "INACTIVE" }]));
        assert!(!stays(&inactive, &inactive[0], true), "it can be deleted");
    }

    #[test]
    fn keys_come_as_an_array_or_in_an_envelope_and_no_secret_is_kept() {
        let array = of(json!([{ "id": "k", "use": "sig" }]));
        let envelope = of(json!({ "jwks": { "keys": [{ "kid": "k", "use": "enc" }] } }));
        assert!(array[0].signs() && !envelope[0].signs());
        assert!(listed(&json!({ "error": 1 })).is_none());
        assert!(
            listed(&json!([{ "use": "sig" }])).is_none(),
            "without an id"
        );
        let clear = of(json!([{ "id": "s", "client_secret": "hush", "secret_hash": "hush" }]));
        let kept = format!("{clear:?} {:?}", entitlements(SECRET, &clear, |_| false));
        assert!(!kept.contains("hush"), "{kept}");
    }
}
