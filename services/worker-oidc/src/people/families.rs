//! The families that Keycloak's administration shows, as they are read for one user.

use serde::Deserialize;
use serde_json::{Value, json};
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use crate::admin::{Ask, USERS};
use crate::issuer::{Issuer, Refused, inconsistent, unusable};
use crate::listing::list;

/// The key that stands for all online sessions: they are ended together.
pub const ONLINE: &str = "online";
/// What the key of an offline token begins with; the rest is the client id.
pub const OFFLINE: &str = "offline:";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Consent {
    client_id: String,
    #[serde(default)]
    granted_client_scopes: Option<Vec<String>>,
    #[serde(default)]
    additional_grants: Vec<AdditionalGrant>,
}

#[derive(Debug, Deserialize)]
struct AdditionalGrant {
    #[serde(default)]
    client: Option<String>,
    #[serde(default)]
    key: Option<String>,
}

/// Consents and offline tokens, which one read shows together.
#[derive(Debug, Clone, Default)]
pub struct Consents {
    /// Consents, by client id.
    pub grants: Vec<Entitlement>,
    /// Offline tokens, by client id.
    pub offline: Vec<Entitlement>,
}

async fn read<T: for<'de> Deserialize<'de>>(
    issuer: &Issuer,
    doing: &'static str,
    path: &[&str],
) -> Result<T, Refused> {
    let ask = Ask {
        doing,
        family: USERS,
        path,
        query: &[],
    };
    let reply = issuer.get(ask, None).await?;
    reply
        .json()
        .map_err(|_| inconsistent(doing, "the answer is not what was asked for").into())
}

/// Online sessions; one entitlement stands for all.
///
/// # Errors
/// As any read; class `NeedsPerson` where a session of another user came back.
pub async fn sessions(issuer: &Issuer, user: &str) -> Result<Vec<Entitlement>, Refused> {
    const DOING: &str = "reading the account's sessions";
    let sessions: Vec<Value> = read(issuer, DOING, &["users", user, "sessions"]).await?;
    let foreign = |session: &Value| session["userId"].as_str().is_some_and(|id| id != user);
    if sessions.iter().any(foreign) {
        let what = "the provider answered with sessions of another user".to_owned();
        return Err(unusable(DOING, what).into());
    }
    let all = Entitlement {
        kind: EntitlementKind::Session,
        provider_key: ONLINE.to_owned(),
        privileged: false,
        facts: json!({ "count": sessions.len() }),
    };
    Ok((!sessions.is_empty()).then_some(all).into_iter().collect())
}

/// Consents and offline tokens.
///
/// # Errors
/// As any read.
pub async fn consents(issuer: &Issuer, user: &str) -> Result<Consents, Refused> {
    const DOING: &str = "reading the account's consents";
    let consents: Vec<Consent> = read(issuer, DOING, &["users", user, "consents"]).await?;
    let mut found = Consents::default();
    for consent in consents {
        let grant = consent.additional_grants.iter().find(|grant| {
            let key = grant.key.as_deref().unwrap_or_default();
            key.to_lowercase().contains("offline")
        });
        if let Some(grant) = grant {
            found.offline.push(Entitlement {
                kind: EntitlementKind::Token,
                provider_key: format!("{OFFLINE}{}", consent.client_id),
                privileged: false,
                facts: json!({ "client_uuid": grant.client }),
            });
        }
        // A client that has an offline token only is listed without scopes.
        if consent.granted_client_scopes.is_some() || grant.is_none() {
            found.grants.push(Entitlement {
                kind: EntitlementKind::Grant,
                provider_key: consent.client_id,
                privileged: false,
                facts: json!({ "scopes": consent.granted_client_scopes }),
            });
        }
    }
    Ok(found)
}

/// Group memberships.
///
/// # Errors
/// As any list.
pub async fn groups(issuer: &Issuer, user: &str) -> Result<Vec<Entitlement>, Refused> {
    let ask = Ask {
        doing: "reading the account's groups",
        family: USERS,
        path: &["users", user, "groups"],
        query: &[],
    };
    let groups = list(issuer, ask).await?;
    Ok(groups
        .into_iter()
        .map(|group| Entitlement {
            kind: EntitlementKind::Group,
            provider_key: group["id"].as_str().unwrap_or_default().to_owned(),
            privileged: false,
            facts: json!({ "name": group["name"], "path": group["path"] }),
        })
        .collect())
}

/// Passwords and other credentials.
///
/// # Errors
/// As any read.
pub async fn factors(issuer: &Issuer, user: &str) -> Result<Vec<Entitlement>, Refused> {
    #[derive(Deserialize)]
    struct Credential {
        id: String,
        #[serde(rename = "type", default)]
        kind: String,
    }
    const DOING: &str = "reading the account's credentials";
    let credentials: Vec<Credential> = read(issuer, DOING, &["users", user, "credentials"]).await?;
    let of = |credential: Credential| Entitlement {
        kind: EntitlementKind::Factor,
        provider_key: credential.id,
        privileged: false,
        facts: json!({ "type": credential.kind }),
    };
    Ok(credentials.into_iter().map(of).collect())
}

/// Links to identity providers, by alias.
///
/// # Errors
/// As any read.
pub async fn identity_links(issuer: &Issuer, user: &str) -> Result<Vec<Entitlement>, Refused> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Link {
        identity_provider: String,
    }
    const DOING: &str = "reading the account's identity links";
    let links: Vec<Link> = read(issuer, DOING, &["users", user, "federated-identity"]).await?;
    let of = |link: Link| Entitlement {
        kind: EntitlementKind::IdentityLink,
        provider_key: link.identity_provider,
        privileged: false,
        facts: json!({}),
    };
    Ok(links.into_iter().map(of).collect())
}
