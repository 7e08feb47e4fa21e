//! What is really so, for tests to judge by: no paging, no lag, no permission.

use serde_json::{Value, json};

use crate::clock::iso;
use crate::control::{Answer, Refusal};
use crate::entra::state::{Kind, Record, Table, Tenant, flag, list, number, ruled_by, text};
use crate::entra::{app_roles, grants, roles};
use crate::exchange::Reply;

/// `GET state`: counts.
pub fn summary(tenant: &Tenant, now_ms: i64) -> Reply {
    let count = |table| tenant.store.count(table);
    let users = tenant.store.all(Table::Users);
    let enabled = users
        .iter()
        .filter(|row| flag(&row.record, "accountEnabled"));
    Reply::json(
        200,
        &json!({
            "tenant_id": tenant.id,
            "users": users.len(),
            "enabled": enabled.count(),
            "deleted": count(Table::Deleted),
            "groups": count(Table::Groups),
            "applications": count(Table::Applications),
            "service_principals": count(Table::ServicePrincipals),
            "devices": count(Table::Devices),
            "azure_roles": count(Table::Azure),
            "audit_events": tenant.audits.len(),
            "now": iso(now_ms),
        }),
    )
}

/// `GET state/users`: who there is.
pub fn users(tenant: &Tenant) -> Reply {
    let rows = tenant.store.all(Table::Users);
    let users: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({ "id": row.id, "login": text(&row.record, "userPrincipalName"), "enabled": flag(&row.record, "accountEnabled") })
        })
        .collect();
    Reply::json(200, &json!({ "users": users }))
}

/// `GET state/service-principals`: which there are.
pub fn service_principals(tenant: &Tenant) -> Reply {
    let rows = tenant.store.all(Table::ServicePrincipals);
    let principals: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({ "id": row.id, "app_id": text(&row.record, "appId"), "name": text(&row.record, "displayName"), "enabled": flag(&row.record, "accountEnabled") })
        })
        .collect();
    Reply::json(200, &json!({ "service_principals": principals }))
}

/// `GET state/users/{user}`: everything about one user. One who was deleted has `exists: false`.
pub fn user(tenant: &Tenant, name: &str) -> Answer {
    let Ok((id, user)) = tenant.object(Kind::User, name) else {
        return gone(tenant, name, "the user");
    };
    let mut value = json!({
        "id": id,
        "exists": true,
        "login": text(&user, "userPrincipalName"),
        "email": text(&user, "mail"),
        "enabled": flag(&user, "accountEnabled"),
        "sessions": number(&user, "_sessions"),
        "licences": tenant.licences(&id, &user),
        "methods": rows(tenant, Table::Methods, &id),
        "devices": devices(tenant, &id),
    });
    attach(&mut value, hanging(tenant, &id));
    let direct = list(&user, "_licences").len();
    let counts = [
        ("account", usize::from(flag(&user, "accountEnabled"))),
        (
            "sessions",
            usize::try_from(number(&user, "_sessions")).unwrap_or(0),
        ),
        ("licences", direct),
    ];
    value["live"] = live(tenant, &id, &counts);
    Ok(Reply::json(200, &value))
}

/// `GET state/service-principals/{id}`: everything about one, by id or `appId=...`, its registration included.
pub fn service_principal(tenant: &Tenant, name: &str) -> Answer {
    let Ok((id, principal)) = tenant.object(Kind::ServicePrincipal, name) else {
        return gone(tenant, name, "the service principal");
    };
    let app_id = text(&principal, "appId");
    let registration = tenant
        .object(Kind::Application, &format!("appId={app_id}"))
        .ok();
    let empty = Record::new();
    let (application, record) = match &registration {
        Some((application, record)) => (application.as_str(), &**record),
        None => ("", &empty),
    };
    let federated = tenant.store.of(Table::Federated, application).len();
    let assigned = app_roles::at(tenant, &id);
    let consents = grants::by_client(tenant, &id);
    let secrets =
        list(record, "passwordCredentials").len() + list(&principal, "passwordCredentials").len();
    let keys = list(record, "keyCredentials").len() + list(&principal, "keyCredentials").len();
    let mut value = json!({
        "id": id, "exists": true, "app_id": app_id, "name": text(&principal, "displayName"),
        "enabled": flag(&principal, "accountEnabled"),
        "assignment_required": flag(&principal, "appRoleAssignmentRequired"),
        "application": registration.as_ref().map(|(application, _)| application),
        "secrets": secrets, "keys": keys, "federated": federated, "assigned_to": assigned, "consents": consents,
    });
    attach(&mut value, hanging(tenant, &id));
    let counts = [
        ("account", usize::from(flag(&principal, "accountEnabled"))),
        ("assigned", assigned.len()),
        ("consents", consents.len()),
        ("secrets", secrets),
        ("keys", keys),
        ("federated", federated),
    ];
    value["live"] = live(tenant, &id, &counts);
    Ok(Reply::json(200, &value))
}

/// What still gives access, one word and count each; empty when nothing does. Memberships that Graph cannot end
/// (dynamic, synced, mail-enabled) and inherited licences are not in it.
fn live(tenant: &Tenant, id: &str, own: &[(&str, usize)]) -> Value {
    let count = |table| tenant.store.of(table, id).len();
    let removable = tenant
        .store
        .of(Table::Members, id)
        .into_iter()
        .filter(|row| {
            let group = tenant.store.object(Table::Groups, &row.id);
            group.is_some_and(|group| ruled_by(&group).is_none())
        });
    let hanging = [
        ("groups", removable.count()),
        ("owns", count(Table::Owners)),
        ("roles", count(Table::Roles)),
        ("eligible_roles", count(Table::EligibleRoles)),
        ("active_roles", count(Table::ActiveRoles)),
        ("eligible_groups", count(Table::EligibleGroups)),
        ("active_groups", count(Table::ActiveGroups)),
        ("app_roles", count(Table::AppRoles)),
        ("grants", count(Table::Grants)),
        ("azure", count(Table::Azure)),
        ("azure_eligible", count(Table::AzureEligible)),
    ];
    own.iter()
        .chain(&hanging)
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| json!(format!("{name}:{count}")))
        .collect()
}

/// What hangs on a user and on a service principal alike.
fn hanging(tenant: &Tenant, id: &str) -> Value {
    let groups = |table| -> Value {
        let rows = tenant.store.of(table, id);
        rows.iter()
            .map(|row| json!({ "id": row.id, "name": tenant.name_of(&row.id) }))
            .collect()
    };
    let held = |table| -> Value {
        let rows = tenant.store.of(table, id);
        rows.iter()
            .map(|row| {
                let role = text(&row.record, "roleDefinitionId");
                json!({ "id": row.id, "role": roles::name_of(role), "scope": row.record.get("directoryScopeId") })
            })
            .collect()
    };
    json!({
        "groups": groups(Table::Members),
        "owns": groups(Table::Owners),
        "roles": held(Table::Roles),
        "eligible_roles": held(Table::EligibleRoles),
        "active_roles": held(Table::ActiveRoles),
        "eligible_groups": rows(tenant, Table::EligibleGroups, id),
        "active_groups": rows(tenant, Table::ActiveGroups, id),
        "app_roles": rows(tenant, Table::AppRoles, id),
        "grants": rows(tenant, Table::Grants, id),
        "azure": rows(tenant, Table::Azure, id),
        "azure_eligible": rows(tenant, Table::AzureEligible, id),
    })
}

fn rows(tenant: &Tenant, table: Table, id: &str) -> Value {
    let rows = tenant.store.of(table, id);
    rows.iter()
        .map(|row| Value::Object(Record::clone(&row.record)))
        .collect()
}

fn devices(tenant: &Tenant, id: &str) -> Value {
    let tables = [Table::DeviceOwners, Table::DeviceUsers];
    let rows = tables.map(|table| tenant.store.of(table, id)).concat();
    let ids: std::collections::BTreeSet<String> = rows.into_iter().map(|row| row.id).collect();
    ids.into_iter()
        .filter_map(|id| {
            let device = tenant.store.object(Table::Devices, &id)?;
            Some(json!({ "id": id, "enabled": flag(&device, "accountEnabled") }))
        })
        .collect()
}

fn attach(value: &mut Value, more: Value) {
    if let Value::Object(members) = more {
        for (name, member) in members {
            value[name.as_str()] = member;
        }
    }
}

/// The truth about what was deleted: restorable or not, and which Azure roles it left behind.
fn gone(tenant: &Tenant, id: &str, what: &str) -> Answer {
    let deleted = tenant.store.object(Table::Deleted, id);
    let orphans = tenant.store.of(Table::Azure, id).len();
    if deleted.is_none() && orphans == 0 {
        return Err(Refusal::not_found(&format!("{what} {id:?}")));
    }
    let mut value = json!({
        "id": id, "exists": false, "restorable": deleted.is_some(), "live": [], "azure_orphans": orphans,
    });
    attach(&mut value, json!({ "left_behind": hanging(tenant, id) }));
    Ok(Reply::json(200, &value))
}
