//! One inspection of an integration: every family, read side by side.

use serde_json::{Value, json};
use sever_domain::entitlement::{AccountReading, Entitlement, FamilyReading};
use sever_domain::{AccountState, EntitlementKind};
use sever_provider::CallError;
use sever_provider::family::seen_beside;

use super::app::{App, app_by_id};
use super::families::{ALL, Object};
use super::{candidates, client_roles, consumers, object, permissions, secrets, tokens};
use crate::families::{complete, outcome, unsupported};
use crate::org::{Org, Refused};

/// Reads everything of whatever the id names.
///
/// # Errors
/// The object's own read failing; credentials, rate and shutting down as they come.
pub async fn inspect(org: &Org, id: &str) -> Result<AccountReading, CallError> {
    match Object::of(id) {
        Object::App => match app_by_id(org, id, None).await? {
            // Eight reads side by side make a large future.
            Some(app) if app.state() != AccountState::Absent => {
                Box::pin(inspect_app(org, &app)).await
            }
            _ => Ok(AccountReading::absent(ALL)),
        },
        other => {
            let found = object::read(org, other, id, None).await?;
            Ok(found.map_or_else(
                || AccountReading::absent(ALL),
                |found| of_object(other, id, found),
            ))
        }
    }
}

async fn inspect_app(org: &Org, app: &App) -> Result<AccountReading, CallError> {
    let (tokens, server_tokens, roles, permissions, secrets, consumers, hooks, api_tokens) = tokio::join!(
        tokens::read(org, &app.id),
        tokens::of_servers(org, app.client_id()),
        client_roles::read(org, app.client_id()),
        permissions::read(org, &app.id),
        secrets::read(org, app),
        consumers::read(org, &app.id),
        candidates::hooks(org, app),
        candidates::api_tokens(org, app),
    );
    use EntitlementKind as Kind;
    let mut facts = app.facts();
    let consumers = consumers.map(|found| {
        facts["people"] = json!(found.people);
        facts["people_through_groups"] = json!(found.through_groups);
        facts["groups"] = json!(found.groups);
        found.held
    });
    Ok(AccountReading {
        account_state: app.state(),
        provider_state: app.status().to_owned(),
        families: vec![
            complete(Kind::Account, vec![held(Kind::Account, &app.id, facts)]),
            all_tokens(tokens, server_tokens)?,
            unsupported(Kind::Grant, "consents are listed by person only"),
            outcome(Kind::Role, roles)?,
            outcome(Kind::Permission, permissions)?,
            outcome(Kind::Secret, secrets)?,
            outcome(Kind::Consumer, consumers)?,
            outcome(Kind::Hook, hooks)?,
            outcome(Kind::ApiToken, api_tokens)?,
        ],
    })
}

/// Where the credential may not read the custom servers, what the org's own shows is kept beside the refusal.
fn all_tokens(
    own: Result<Vec<Entitlement>, Refused>,
    of_servers: Result<Vec<Entitlement>, Refused>,
) -> Result<FamilyReading, CallError> {
    match (own, of_servers) {
        (Ok(own), Err(refused)) => seen_beside(EntitlementKind::Token, own, refused),
        (Ok(own), Ok(more)) => outcome::<Refused>(EntitlementKind::Token, Ok([own, more].concat())),
        (Err(refused), _) => outcome(EntitlementKind::Token, Err(refused)),
    }
}

/// A hook or token has nothing but itself.
fn of_object(object: Object, id: &str, found: object::Found) -> AccountReading {
    let own = match object {
        Object::ApiToken => EntitlementKind::ApiToken,
        Object::App | Object::EventHook | Object::InlineHook => EntitlementKind::Hook,
    };
    let family = |kind: EntitlementKind| -> FamilyReading {
        let is_own = kind == own || kind == EntitlementKind::Account;
        let entitlements = is_own.then(|| held(kind, id, found.facts.clone()));
        complete(kind, entitlements.into_iter().collect())
    };
    AccountReading {
        account_state: found.state,
        provider_state: found.word.clone(),
        families: ALL.iter().map(|kind| family(*kind)).collect(),
    }
}

fn held(kind: EntitlementKind, id: &str, facts: Value) -> Entitlement {
    Entitlement {
        kind,
        provider_key: id.to_owned(),
        privileged: kind == EntitlementKind::ApiToken,
        facts,
    }
}
