//! One inspection of a person: the record, the active logins, and what our own connector pushed.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use sever_domain::entitlement::{AccountReading, Entitlement, FamilyReading};
use sever_domain::{AccountState, EntitlementKind};
use sever_provider::CallError;
use tokio::time::Instant;

use super::families::{self, EMPLOYMENT, RECORD, TASK_PREFIX};
use super::find::person_by_id;
use super::person::Person;
use super::users::active_login;
use crate::errors::Refused;
use crate::pushed;
use crate::reading::{complete, outcome, unsupported};
use crate::tenant::Tenant;

/// The longest name of a task that is kept.
const TASK_NAME_CHARS_MAX: usize = 200;

/// Reads everything.
///
/// # Errors
/// The record's own read or the list of logins failing; credentials, rate and shutting down as they come.
pub async fn inspect(tenant: &Tenant, person_id: &str) -> Result<AccountReading, CallError> {
    let Some(person) = person_by_id(tenant, person_id, None).await? else {
        return Ok(AccountReading::absent(families::ALL));
    };
    let login = active_login(tenant, &person)
        .await
        .map_err(|refused| refused.error)?;
    let rows = own_rows(tenant, &person).await;
    use EntitlementKind as Kind;
    let state = match login {
        Some(_) => AccountState::Live,
        None => AccountState::Deactivated,
    };
    Ok(AccountReading {
        account_state: state,
        provider_state: person.state_word().to_owned(),
        families: vec![
            complete(
                Kind::Account,
                vec![account(tenant, &person, login.as_deref())],
            ),
            unsupported(Kind::Session, "no read lists a login's sessions"),
            applications(&person, login.is_some()),
            complete(Kind::Group, groups(&person)),
            unsupported(Kind::Ownership, "no read lists what a login owns"),
            complete(Kind::MonitoredAccount, record_now(tenant, &person)),
            outcome(Kind::Resource, rows)?,
        ],
    })
}

fn account(tenant: &Tenant, person: &Person, login: Option<&str>) -> Entitlement {
    let mut facts = person.facts();
    facts["user_id"] = json!(login);
    facts["had_login"] = json!(login.is_some() || person.user_id != Some(None));
    facts["no_deactivation"] = json!(tenant.no_deactivation.load(Ordering::Relaxed));
    facts["refused"] =
        json!(login.is_some_and(|user| tenant.refused_logins.is_over(user, Instant::now())));
    entitlement(EntitlementKind::Account, person.id.clone(), facts)
}

/// Somebody who never had a login made no API application; of anybody else nothing tells.
fn applications(person: &Person, has_login: bool) -> FamilyReading {
    let kind = EntitlementKind::ApiToken;
    match (&person.user_id, has_login) {
        (Some(None), false) => complete(kind, Vec::new()),
        _ => unsupported(kind, "no read lists API applications or their makers"),
    }
}

fn groups(person: &Person) -> Vec<Entitlement> {
    let ids = person.group_ids.iter();
    ids.map(|id| entitlement(EntitlementKind::Group, id.clone(), json!({})))
        .collect()
}

/// The record until it is offboarded, what its offboarding waits for, and whether Vanta has refused it for long.
fn record_now(tenant: &Tenant, person: &Person) -> Vec<Entitlement> {
    let mut parts = record(person);
    if let Some(record) = parts.first_mut() {
        record.facts["refused"] = json!(
            tenant
                .refused_offboardings
                .is_over(&person.id, Instant::now())
        );
    }
    parts
}

/// The record until it is offboarded, and what its offboarding waits for.
pub fn record(person: &Person) -> Vec<Entitlement> {
    if person.is_offboarded() {
        return Vec::new();
    }
    let part = |key: String, mut facts: Value| {
        facts["person"] = json!(person.id);
        entitlement(EntitlementKind::MonitoredAccount, key, facts)
    };
    let mut parts = Vec::new();
    if !person.is_former() {
        parts.push(part(EMPLOYMENT.to_owned(), person.facts()));
    }
    let mut named: BTreeMap<String, usize> = BTreeMap::new();
    for name in person.open_tasks() {
        let short: String = name.chars().take(TASK_NAME_CHARS_MAX).collect();
        let times = named.entry(short.clone()).or_default();
        *times += 1;
        // By its name, not by its place: the place of one changes when another is done.
        let key = match *times {
            1 => format!("{TASK_PREFIX}{short}"),
            times => format!("{TASK_PREFIX}{short} ({times})"),
        };
        parts.push(part(key, json!({ "name": short })));
    }
    let mut facts = person.facts();
    facts["waits_for"] = json!(parts.len());
    parts.insert(0, part(RECORD.to_owned(), facts));
    parts
}

/// Active accounts with the person's address that our own connector pushed.
async fn own_rows(tenant: &Tenant, person: &Person) -> Result<Vec<Entitlement>, Refused> {
    let mut found = Vec::new();
    let sets = tenant.connector.iter().flat_map(|own| &own.sets);
    for set in sets.filter(|set| set.kind == "user_account") {
        let rows = pushed::read(tenant, set, None).await?;
        let planned = rows.len();
        for row in rows {
            let own = row
                .email
                .as_deref()
                .is_some_and(|email| person.has_email(email));
            if own && row.status.as_deref() != Some("INACTIVE") {
                let facts =
                    json!({ "type": set.kind, "resource_id": set.resource_id, "rows": planned });
                found.push(entitlement(EntitlementKind::Resource, row.unique_id, facts));
            }
        }
    }
    Ok(found)
}

fn entitlement(kind: EntitlementKind, provider_key: String, facts: Value) -> Entitlement {
    Entitlement {
        kind,
        provider_key,
        privileged: false,
        facts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sever_domain::entitlement::FamilyResult;

    fn person(value: Value) -> Person {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_record_is_there_with_what_it_waits_for_until_it_is_offboarded() {
        let tasks = json!({ "completeOffboardingCustomTasks": {
            "incompleteCustomOffboardingTasks": [{ "name": "Return the badge" }, { "name": "Return the badge" }],
        }});
        let open = person(json!({
            "id": "p", "employment": { "status": "CURRENT" }, "tasksSummary": { "status": "NONE", "details": tasks },
        }));
        let waits = record(&open);
        let keys: Vec<&str> = waits
            .iter()
            .map(|part| part.provider_key.as_str())
            .collect();
        assert_eq!(
            keys,
            [
                "record",
                "employment",
                "task:Return the badge",
                "task:Return the badge (2)"
            ]
        );
        assert!(families::waits_for_others(&waits[0]));
        let former = person(json!({ "id": "p", "employment": { "status": "FORMER" } }));
        assert!(!families::waits_for_others(&record(&former)[0]));
        let gone =
            person(json!({ "id": "p", "tasksSummary": { "status": "OFFBOARDING_COMPLETE" } }));
        assert_eq!(record(&gone), vec![]);
    }

    #[test]
    fn a_task_keeps_its_key_when_another_is_done() {
        let keys = |tasks: &[&str]| -> Vec<String> {
            let tasks: Vec<Value> = tasks.iter().map(|name| json!({ "name": name })).collect();
            let details = json!({ "completeOffboardingCustomTasks": { "incompleteCustomOffboardingTasks": tasks } });
            let open = person(json!({
                "id": "p", "employment": { "status": "FORMER" }, "tasksSummary": { "status": "NONE", "details": details },
            }));
            let keys = record(&open).into_iter().map(|part| part.provider_key);
            keys.collect()
        };
        let before = keys(&["Badge", "Laptop"]);
        let after = keys(&["Laptop"]);
        assert!(before.ends_with(&after[1..]), "{before:?} {after:?}");
    }

    #[test]
    fn only_a_person_who_never_had_a_login_made_no_application() {
        for (value, has_login, expected) in [
            (
                json!({ "id": "p", "userId": null }),
                false,
                FamilyResult::Complete,
            ),
            (
                json!({ "id": "p", "userId": null }),
                true,
                FamilyResult::Unsupported,
            ),
            (
                json!({ "id": "p", "userId": "u" }),
                false,
                FamilyResult::Unsupported,
            ),
            (json!({ "id": "p" }), false, FamilyResult::Unsupported),
        ] {
            let found = applications(&person(value.clone()), has_login).result;
            assert_eq!(found, expected, "{value} {has_login}");
        }
    }
}
