//! Azure roles that a principal may activate (Privileged Identity Management of Azure Resource Manager, 2020-10-01).

use serde_json::{Value, json};
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;
use sever_provider::{CallError, Effect};
use url::Url;
use uuid::Uuid;

use super::azure::{is_privileged, list_of_principal, url_at};
use super::reading::text;
use super::term::{self, Term};
use crate::errors::{Meaning, Refused};
use crate::service::{Service, unusable};
use crate::tenant::Tenant;

/// The version of eligibilities and their requests.
const VERSION: &str = "2020-10-01";
/// What a key begins with: no id of Azure's does.
const PREFIX: &str = "eligible:";

/// What the principal itself may activate at one scope, above and below it. Where Privileged Identity Management is not
/// licensed, or not offered at a scope whose assignments could be read, that is nothing.
///
/// # Errors
/// As any list.
pub async fn read(
    tenant: &Tenant,
    service: &Service,
    scope: &str,
    principal_id: &str,
) -> Result<Vec<Entitlement>, Refused> {
    const DOING: &str = "reading the account's eligible Azure roles";
    let collection = ("roleEligibilityScheduleInstances", VERSION);
    let items = list_of_principal(tenant, service, DOING, scope, collection, principal_id).await;
    let items = match items {
        Err(refused) if matches!(refused.meaning, Meaning::Unlicensed | Meaning::Gone) => {
            return Ok(Vec::new());
        }
        items => items?,
    };
    let own = items.iter().filter(|item| is_own(item, principal_id));
    Ok(own.map(entitlement).collect())
}

/// Whether it may be activated rather than being active.
#[must_use]
pub fn is_eligible(key: &str) -> bool {
    key.starts_with(PREFIX)
}

/// The address and body of the request that ends an eligibility, or gives it back.
///
/// # Errors
/// Class `NeedsPerson` where the facts do not name what it needs.
pub fn request(
    service: &Service,
    doing: &'static str,
    effect: &Effect,
    kind: &str,
    why: &str,
) -> Result<(Url, Value), CallError> {
    let (scope, role) = place(effect)
        .ok_or_else(|| unusable(doing, "the plan names no scope and no role".to_owned()))?;
    let name = Uuid::new_v4().to_string();
    let rest = ["roleEligibilityScheduleRequests", name.as_str()];
    let url = url_at(service, doing, scope, &rest, VERSION)?;
    let mut properties = json!({
        "principalId": effect.account_id, "roleDefinitionId": role, "requestType": kind, "justification": why,
    });
    if effect.action.gives_back() {
        let expiration = match term::of(&effect.facts) {
            Term::Until(ends) => json!({ "type": "AfterDateTime", "endDateTime": ends }),
            Term::Lasting | Term::Unclear | Term::Activated => json!({ "type": "NoExpiration" }),
        };
        properties["scheduleInfo"] = json!({ "expiration": expiration });
    }
    Ok((url, json!({ "properties": properties })))
}

/// Whether the eligibility that an effect is about is still there.
///
/// # Errors
/// As any list.
pub async fn is_there(
    tenant: &Tenant,
    service: &Service,
    effect: &Effect,
) -> Result<bool, Refused> {
    let Some((scope, _)) = place(effect) else {
        return Ok(false);
    };
    let held = read(tenant, service, scope, &effect.account_id).await?;
    Ok(held
        .iter()
        .any(|held| held.provider_key == effect.target_key))
}

fn place(effect: &Effect) -> Option<(&str, &str)> {
    let fact = |name: &str| effect.facts[name].as_str();
    Some((fact("scope")?, fact("role_definition")?))
}

/// Only what hangs on the principal itself can be taken from it; what is inherited is shown at its own scope too.
fn is_own(item: &Value, principal_id: &str) -> bool {
    let properties = &item["properties"];
    let member_type = text(properties, "memberType");
    text(properties, "principalId") == principal_id
        && (member_type.is_empty() || member_type.eq_ignore_ascii_case("direct"))
}

/// By scope and role: an instance has another name once it was given back.
fn entitlement(item: &Value) -> Entitlement {
    let properties = &item["properties"];
    let (scope, role) = (
        text(properties, "scope"),
        text(properties, "roleDefinitionId"),
    );
    let mut facts = json!({
        "scope": scope, "role_definition": role, "principal_type": properties["principalType"],
    });
    term::note(&mut facts, properties);
    let named = !scope.is_empty() && !role.is_empty();
    Entitlement {
        kind: EntitlementKind::ResourceRole,
        provider_key: match named {
            true => format!("{PREFIX}{}|{}", scope.to_lowercase(), role.to_lowercase()),
            false => String::new(),
        },
        privileged: is_privileged(role),
        facts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_principals_own_count_and_an_unnamed_one_fails_its_family() {
        let item = |member_type: &str, principal: &str| json!({"properties": {"memberType": member_type, "principalId": principal}});
        assert!(is_own(&item("Direct", "u"), "u") && is_own(&item("", "u"), "u"));
        for (member_type, principal) in [("Group", "u"), ("Inherited", "u"), ("Direct", "v")] {
            assert!(!is_own(&item(member_type, principal), "u"), "{member_type}");
        }
        assert_eq!(entitlement(&item("Direct", "u")).provider_key, "");
        let named = json!({"properties": {"scope": "/subscriptions/S", "roleDefinitionId": "/r/8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "endDateTime": "2030-01-01T00:00:00Z"}});
        let held = entitlement(&named);
        assert!(is_eligible(&held.provider_key) && held.privileged);
        assert_eq!(held.facts["ends"], "2030-01-01T00:00:00Z");
    }
}
