//! Puts a seed document into a tenant.

use serde_json::{Value, json};

use super::document::SeedDocument;
use super::{access, objects};
use crate::control::{Answer, Refusal};
use crate::entra::state::{Table, Tenant, text};
use crate::exchange::Reply;

/// What was planted, in the order of the document.
struct Sown {
    users: Vec<String>,
    applications: Vec<(String, Option<String>)>,
}

/// Answers with the users and service principals that were planted. A document that names something unknown is refused
/// at that place; what came before it stays.
pub fn plant(tenant: &mut Tenant, document: &SeedDocument, now_ms: i64) -> Answer {
    let sown = sow(tenant, document, now_ms)?;
    // A directory was there before anybody looked.
    tenant.store.settle();
    let users: Vec<Value> = sown.users.iter().map(|id| user(tenant, id)).collect();
    let principals: Vec<Value> = sown
        .applications
        .iter()
        .map(|(id, registration)| service_principal(tenant, id, registration.as_deref()))
        .collect();
    let body = json!({ "users": users, "service_principals": principals });
    Ok(Reply::json(200, &body))
}

fn sow(tenant: &mut Tenant, document: &SeedDocument, now_ms: i64) -> Result<Sown, Refusal> {
    for seed in &document.management_groups {
        objects::management_group(tenant, seed);
    }
    for seed in &document.subscriptions {
        objects::subscription(tenant, seed);
    }
    let groups: Vec<String> = document
        .groups
        .iter()
        .map(|seed| objects::group(tenant, seed, now_ms))
        .collect();
    let applications: Vec<(String, Option<String>)> = document
        .applications
        .iter()
        .map(|seed| objects::application(tenant, seed, now_ms))
        .collect();
    let users: Vec<String> = document
        .users
        .iter()
        .map(|seed| objects::user(tenant, seed, now_ms))
        .collect::<Result<_, _>>()?;
    for (id, seed) in groups.iter().zip(&document.groups) {
        access::of_group(tenant, id, seed, now_ms)?;
    }
    for ((id, registration), seed) in applications.iter().zip(&document.applications) {
        access::of_application(tenant, (id, registration.as_deref()), seed, now_ms)?;
    }
    for (id, seed) in users.iter().zip(&document.users) {
        access::of_user(tenant, id, seed, now_ms)?;
    }
    Ok(Sown {
        users,
        applications,
    })
}

/// What a caller needs to know of a user to write an HR directory.
fn user(tenant: &Tenant, id: &str) -> Value {
    let Some(user) = tenant.store.object(Table::Users, id) else {
        return Value::Null;
    };
    json!({
        "id": id,
        "login": text(&user, "userPrincipalName"),
        "email": text(&user, "mail"),
        "first_name": text(&user, "givenName"),
        "last_name": text(&user, "surname"),
        "employee_id": user.get("employeeId"),
    })
}

fn service_principal(tenant: &Tenant, id: &str, registration: Option<&str>) -> Value {
    let Some(principal) = tenant.store.object(Table::ServicePrincipals, id) else {
        return Value::Null;
    };
    json!({
        "id": id,
        "app_id": text(&principal, "appId"),
        "name": text(&principal, "displayName"),
        "application_id": registration,
    })
}
