//! Plants objects, bare.

use serde_json::{Value, json};

use super::document::{
    SeedApplication, SeedDevice, SeedGroup, SeedGroupKind, SeedManagementGroup, SeedSecret,
    SeedSubscription, SeedUser, UserKind,
};
use super::names::object;
use crate::clock::iso;
use crate::control::Refusal;
use crate::entra::state::{Kind, Record, Table, Tenant, record};

/// The tenant that Microsoft's own applications are registered in.
const MICROSOFT: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";

pub fn management_group(tenant: &mut Tenant, seed: &SeedManagementGroup) {
    let id = format!(
        "/providers/Microsoft.Management/managementGroups/{}",
        seed.name
    );
    let made = record(json!({
        "id": id, "type": "Microsoft.Management/managementGroups", "name": seed.name,
        "properties": { "tenantId": tenant.id, "displayName": seed.name },
    }));
    tenant
        .store
        .put(Table::ManagementGroups, "", &seed.name, made);
}

pub fn subscription(tenant: &mut Tenant, seed: &SeedSubscription) {
    let made = record(json!({
        "id": format!("/subscriptions/{}", seed.id), "subscriptionId": seed.id, "tenantId": tenant.id,
        "displayName": seed.name, "state": "Enabled", "_management_group": seed.management_group, "_locked": seed.locked,
    }));
    tenant.store.put(Table::Subscriptions, "", &seed.id, made);
}

/// Returns the group's id; one that is there already stays as it is.
pub fn group(tenant: &mut Tenant, seed: &SeedGroup, now_ms: i64) -> String {
    let known = seed
        .id
        .clone()
        .filter(|id| tenant.store.object(Table::Groups, id).is_some());
    if let Some(id) = known {
        return id;
    }
    use SeedGroupKind as K;
    let id = seed.id.clone().unwrap_or_else(|| tenant.new_id());
    let unified = matches!(seed.kind, K::Microsoft365 | K::Team);
    let mail = unified || matches!(seed.kind, K::MailEnabledSecurity | K::Distribution);
    let types: &[&str] = match seed.kind {
        K::Microsoft365 | K::Team => &["Unified"],
        K::Dynamic => &["DynamicMembership"],
        _ => &[],
    };
    let made = record(json!({
        "id": id, "displayName": seed.name, "description": null, "groupTypes": types,
        "mailEnabled": mail, "mailNickname": seed.name.replace(' ', ""),
        "securityEnabled": !matches!(seed.kind, K::Distribution | K::Microsoft365 | K::Team),
        "isAssignableToRole": (seed.kind == K::RoleAssignable).then_some(true),
        "onPremisesSyncEnabled": (seed.kind == K::Synced).then_some(true),
        "membershipRule": (seed.kind == K::Dynamic).then_some("(user.department -eq \"Sales\")"),
        "visibility": "Private", "createdDateTime": iso(now_ms), "deletedDateTime": null,
        "_team": seed.kind == K::Team, "_rule_tests_enabled": seed.rule_tests_enabled, "_licences": seed.licences,
    }));
    tenant.store.put(Table::Groups, "", &id, made);
    id
}

/// Returns the ids of the service principal and of the registration, where it has one.
pub fn application(
    tenant: &mut Tenant,
    seed: &SeedApplication,
    now_ms: i64,
) -> (String, Option<String>) {
    let id = seed.id.clone().unwrap_or_else(|| tenant.new_id());
    let app_id = seed.app_id.clone().unwrap_or_else(|| tenant.new_id());
    let registered = !(seed.third_party || seed.managed_identity || seed.first_party);
    let home = if registered || seed.managed_identity {
        tenant.id.clone()
    } else if seed.first_party {
        MICROSOFT.to_owned()
    } else {
        tenant.new_id()
    };
    let kind = if seed.managed_identity {
        "ManagedIdentity"
    } else {
        "Application"
    };
    let role = json!({
        "id": tenant.new_id(), "displayName": "User", "value": "User", "isEnabled": true, "allowedMemberTypes": ["User"],
    });
    let mut principal = record(json!({
        "id": id, "appId": app_id, "displayName": seed.name, "appDisplayName": seed.name, "accountEnabled": true,
        "appRoleAssignmentRequired": false, "servicePrincipalType": kind, "appOwnerOrganizationId": home,
        "passwordCredentials": [], "keyCredentials": [], "appRoles": [role], "tags": [],
        "createdDateTime": iso(now_ms), "deletedDateTime": null,
    }));
    if seed.first_party {
        principal.insert("_first_party".into(), json!(true));
    }
    tenant
        .store
        .put(Table::ServicePrincipals, "", &id, principal);
    let application = registered.then(|| registration(tenant, seed, &app_id, now_ms));
    (id, application)
}

fn registration(tenant: &mut Tenant, seed: &SeedApplication, app_id: &str, now_ms: i64) -> String {
    let id = seed
        .application_id
        .clone()
        .unwrap_or_else(|| tenant.new_id());
    let secrets = credentials(tenant, &seed.secrets, false, now_ms);
    let keys = credentials(tenant, &seed.keys, true, now_ms);
    let made = record(json!({
        "id": id, "appId": app_id, "displayName": seed.name, "signInAudience": "AzureADMyOrg",
        "passwordCredentials": secrets, "keyCredentials": keys, "tags": [], "createdDateTime": iso(now_ms),
        "deletedDateTime": null,
    }));
    tenant.store.put(Table::Applications, "", &id, made);
    for federated in &seed.federated {
        let credential = tenant.new_id();
        let made = record(json!({
            "id": credential, "name": federated.name, "issuer": federated.issuer, "subject": federated.subject,
            "audiences": ["api://AzureADTokenExchange"], "description": null,
        }));
        tenant.store.put(Table::Federated, &id, &credential, made);
    }
    id
}

fn credentials(tenant: &mut Tenant, seeds: &[SeedSecret], keys: bool, now_ms: i64) -> Vec<Value> {
    let year_ms = 365 * 86_400_000;
    let mut made = Vec::new();
    for seed in seeds {
        let mut credential = json!({
            "keyId": tenant.new_id(), "displayName": seed.name, "startDateTime": iso(now_ms),
            "endDateTime": iso(now_ms + year_ms),
        });
        if keys {
            credential["type"] = json!("AsymmetricX509Cert");
            credential["usage"] = json!("Verify");
            credential["key"] = json!(tenant.dice.text(40));
        } else {
            credential["hint"] = json!(tenant.dice.text(3));
            credential["secretText"] = Value::Null;
            credential["_secret"] = json!(seed.value);
        }
        made.push(credential);
    }
    made
}

/// Returns the user's id; one who is there already stays as they are.
pub fn user(tenant: &mut Tenant, seed: &SeedUser, now_ms: i64) -> Result<String, Refusal> {
    let named = seed.id.as_deref().unwrap_or(&seed.login);
    if let Ok(id) = tenant.id_of(Kind::User, named) {
        return Ok(id);
    }
    if seed.login.is_empty() {
        return Err(Refusal(400, "users: each needs a login".into()));
    }
    let id = seed.id.clone().unwrap_or_else(|| tenant.new_id());
    let made = account(seed, &id, now_ms);
    tenant.store.put(Table::Users, "", &id, made);
    Ok(id)
}

fn account(seed: &SeedUser, id: &str, now_ms: i64) -> Record {
    let email = seed.email.clone().unwrap_or_else(|| seed.login.clone());
    let name = format!("{} {}", seed.first_name, seed.last_name);
    record(json!({
        "id": id, "userPrincipalName": seed.login, "mail": email, "displayName": name.trim(),
        "givenName": seed.first_name, "surname": seed.last_name, "employeeId": seed.employee_id,
        "accountEnabled": !seed.disabled,
        "userType": if seed.kind == UserKind::Guest { "Guest" } else { "Member" },
        "onPremisesSyncEnabled": seed.synced.then_some(true),
        "onPremisesImmutableId": seed.synced.then_some("c3luY2Vk"),
        "businessPhones": [], "jobTitle": null, "mobilePhone": null, "officeLocation": null, "preferredLanguage": null,
        "createdDateTime": iso(now_ms), "deletedDateTime": null, "signInSessionsValidFromDateTime": iso(now_ms),
        "_sessions": seed.sessions, "_licences": seed.licences,
    }))
}

pub fn device(
    tenant: &mut Tenant,
    seed: &SeedDevice,
    owner: &str,
    now_ms: i64,
) -> Result<(), Refusal> {
    let id = seed.id.clone().unwrap_or_else(|| tenant.new_id());
    let made = record(json!({
        "id": id, "deviceId": tenant.new_id(), "displayName": seed.name, "accountEnabled": true,
        "operatingSystem": "Windows", "trustType": "AzureAd", "registrationDateTime": iso(now_ms),
    }));
    tenant.store.put(Table::Devices, "", &id, made);
    let owners = &mut tenant.store;
    if !seed.registered_only {
        owners.put(Table::DeviceOwners, owner, &id, Record::new());
    }
    if let Some(name) = &seed.owner {
        let other = object(tenant, &[Kind::User], name)?;
        let store = &mut tenant.store;
        store.put(Table::DeviceOwners, &other, &id, Record::new());
    }
    tenant
        .store
        .put(Table::DeviceUsers, owner, &id, Record::new());
    for name in &seed.shared_with {
        let user = object(tenant, &[Kind::User], name)?;
        tenant
            .store
            .put(Table::DeviceUsers, &user, &id, Record::new());
    }
    Ok(())
}
