//! Changes behind the back of the provider's clients: what an administrator, a sync or an attacker does meanwhile.

use serde::Deserialize;
use serde_json::json;

use super::seed;
use crate::control::{Answer, Refusal};
use crate::entra::state::{Kind, Record, Table, Tenant, list, record};
use crate::entra::{app_roles, azure, grants, pim, roles};
use crate::exchange::Reply;

/// One change. Not in the journal; in the audit log only where the order says by whom it is (see [`super::behind`]). Principals are named by id, login, `appId=...` or name.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mutation {
    /// Puts a principal into a group, whoever decides about it.
    AddToGroup {
        /// The user or service principal.
        user: String,
        /// The group's id or name.
        group: String,
    },
    /// Takes a principal out of a group.
    RemoveFromGroup {
        /// The user or service principal.
        user: String,
        /// The group's id or name.
        group: String,
    },
    /// Enables or disables a user or service principal.
    SetEnabled {
        /// Whom.
        user: String,
        /// The new state.
        enabled: bool,
    },
    /// Soft-deletes a user or service principal.
    Delete {
        /// Whom.
        user: String,
    },
    /// Restores what was deleted.
    Restore {
        /// The id.
        user: String,
    },
    /// Deletes for good what was deleted.
    Purge {
        /// The id.
        user: String,
    },
    /// Gives a user another user principal name.
    ChangeLogin {
        /// The user.
        user: String,
        /// The new name.
        login: String,
    },
    /// Starts sessions for a user.
    AddSessions {
        /// The user.
        user: String,
        /// How many.
        count: u64,
    },
    /// Gives a licence directly.
    AddLicence {
        /// The user.
        user: String,
        /// The SKU.
        sku: String,
    },
    /// Gives an active directory role.
    AssignRole {
        /// Whom.
        user: String,
        /// Name or id.
        role: String,
    },
    /// Lets somebody activate a directory role.
    AddEligibleRole {
        /// Whom.
        user: String,
        /// Name or id.
        role: String,
    },
    /// Assigns an application.
    AssignApp {
        /// Whom.
        user: String,
        /// The application's service principal.
        app: String,
    },
    /// Consents for a user.
    Grant {
        /// The user.
        user: String,
        /// The client's service principal.
        app: String,
        /// The scopes.
        scope: String,
    },
    /// Gives an Azure role; the principal need not exist.
    AssignAzureRole {
        /// An id, or whom.
        user: String,
        /// The scope.
        scope: String,
        /// The id of the definition.
        role: String,
    },
    /// Gives an application a new secret.
    AddSecret {
        /// The application.
        app: String,
        /// Its value.
        value: String,
    },
    /// Delta tokens of before are refused from now on.
    ExpireDelta,
}

/// Which access tokens of applications.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Which {
    client_id: Option<String>,
}

/// Applies one change; `by` is the id of who made it, where that is known.
pub fn apply(tenant: &mut Tenant, change: Mutation, by: Option<&str>, now_ms: i64) -> Answer {
    match change {
        Mutation::AddToGroup { user, group } => {
            let (user, group) = (seed::principal(tenant, &user)?, group_of(tenant, &group)?);
            tenant
                .store
                .put(Table::Members, &user, &group, Record::new());
        }
        Mutation::RemoveFromGroup { user, group } => {
            let (user, group) = (seed::principal(tenant, &user)?, group_of(tenant, &group)?);
            tenant.store.remove(Table::Members, &user, &group);
        }
        Mutation::SetEnabled { user, enabled } => set_enabled(tenant, &user, enabled)?,
        Mutation::Delete { user } => {
            let id = seed::principal(tenant, &user)?;
            let kind = tenant.kind_of(&id).unwrap_or(Kind::User);
            tenant.soft_delete(kind, &id, now_ms);
        }
        Mutation::Restore { user } => {
            tenant
                .restore(&user, None)
                .map_err(|error| Refusal(409, error.message))?;
        }
        Mutation::Purge { user } => {
            tenant.hard_delete(&user);
        }
        Mutation::ChangeLogin { user, login } => {
            let user = seed::principal(tenant, &user)?;
            tenant.store.patch(Table::Users, "", &user, |record| {
                record.insert("userPrincipalName".into(), json!(login));
            });
        }
        Mutation::AddSessions { user, count } => {
            let user = seed::principal(tenant, &user)?;
            tenant.set_sessions(&user, count);
        }
        Mutation::ExpireDelta => tenant.delta_epoch += 1,
        given => give(tenant, given, by, now_ms)?,
    }
    Ok(Reply::empty(204))
}

/// The changes that give something.
fn give(
    tenant: &mut Tenant,
    change: Mutation,
    by: Option<&str>,
    now_ms: i64,
) -> Result<(), Refusal> {
    match change {
        Mutation::AddLicence { user, sku } => {
            let user = seed::principal(tenant, &user)?;
            push(tenant, Table::Users, &user, "_licences", json!(sku));
        }
        Mutation::AssignRole { user, role } => {
            let user = seed::principal(tenant, &user)?;
            roles::give(tenant, &user, seed::role(&role), "/");
        }
        Mutation::AddEligibleRole { user, role } => {
            let user = seed::principal(tenant, &user)?;
            pim::schedule(
                tenant,
                Table::EligibleRoles,
                &user,
                seed::role(&role),
                "/",
                &pim::Term::default(),
                now_ms,
            );
        }
        Mutation::AssignApp { user, app } => {
            let (user, app) = (
                seed::principal(tenant, &user)?,
                seed::principal(tenant, &app)?,
            );
            let role = "00000000-0000-0000-0000-000000000000";
            app_roles::give(tenant, &user, &app, role, now_ms);
        }
        Mutation::Grant { user, app, scope } => {
            let (user, app) = (
                seed::principal(tenant, &user)?,
                seed::principal(tenant, &app)?,
            );
            grants::give(tenant, &app, Some(&user), &app, &scope);
        }
        Mutation::AssignAzureRole { user, scope, role } => {
            let user = seed::principal(tenant, &user).unwrap_or(user);
            azure::give(tenant, (&user, &scope, &role), None, by, now_ms);
        }
        Mutation::AddSecret { app, value } => {
            let app = tenant
                .id_of(Kind::Application, &app)
                .map_err(|_| Refusal::not_found(&format!("the application {app:?}")))?;
            let key_id = tenant.new_id();
            let secret =
                record(json!({ "keyId": key_id, "displayName": "added", "_secret": value }));
            push(
                tenant,
                Table::Applications,
                &app,
                "passwordCredentials",
                json!(secret),
            );
        }
        _ => {}
    }
    Ok(())
}

/// `POST tokens/revoke`: access tokens stop working, of one application or of all.
pub fn revoke_access_tokens(tenant: &mut Tenant, which: &Which) -> Answer {
    let before = tenant.access_tokens.len();
    let client_id = which.client_id.as_deref();
    tenant
        .access_tokens
        .retain(|_, token| client_id.is_some_and(|id| *id != token.client_id));
    let revoked = before - tenant.access_tokens.len();
    Ok(Reply::json(200, &json!({ "revoked": revoked })))
}

fn set_enabled(tenant: &mut Tenant, name: &str, enabled: bool) -> Result<(), Refusal> {
    let id = seed::principal(tenant, name)?;
    if tenant.kind_of(&id) == Some(Kind::User) {
        tenant.set_enabled(&id, enabled);
    } else {
        tenant
            .store
            .patch(Table::ServicePrincipals, "", &id, |record| {
                record.insert("accountEnabled".into(), json!(enabled));
            });
    }
    Ok(())
}

/// The id of the group that `name` names.
pub fn group_of(tenant: &Tenant, name: &str) -> Result<String, Refusal> {
    let rows = tenant.store.all(Table::Groups);
    let found = rows.into_iter().find(|row| {
        row.id == name
            || row
                .record
                .get("displayName")
                .is_some_and(|known| *known == *name)
    });
    found
        .map(|row| row.id)
        .ok_or_else(|| Refusal::not_found(&format!("the group {name:?}")))
}

fn push(tenant: &mut Tenant, table: Table, id: &str, member: &str, item: serde_json::Value) {
    tenant.store.patch(table, "", id, |record| {
        let mut items = list(record, member).to_vec();
        items.push(item);
        record.insert(member.into(), json!(items));
    });
}
