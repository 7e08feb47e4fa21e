//! A tenant: settings, rows, tokens, limits and the audit log.

use std::collections::HashMap;

use serde_json::json;

use super::record::record;
use super::store::{Store, Table};
use crate::clock::iso;
use crate::dice::Dice;
use crate::entra::audit_log::AuditLog;
use crate::entra::rate::Limiter;
use crate::entra::settings::{App, Settings};

/// The role definition of Global Administrator, the same in every tenant.
pub const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

/// For which of the two APIs an access token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Microsoft Graph.
    Graph,
    /// Azure Resource Manager.
    Arm,
}

/// An access token of an application.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The application's client id.
    pub client_id: String,
    /// For which API it is.
    pub audience: Audience,
    /// The `roles` claim: what was consented when it was issued; `None`: everything.
    pub permissions: Option<Vec<String>>,
    /// When it ends, in milliseconds since the Unix epoch.
    pub expires_at: i64,
}

/// Everything one tenant knows.
#[derive(Debug)]
pub struct Tenant {
    /// The name in the path.
    pub name: String,
    /// The tenant id.
    pub id: String,
    /// How it behaves.
    pub settings: Settings,
    /// Source of ids of this tenant.
    pub dice: Dice,
    /// Source of request ids and tokens, apart so that reads do not change which ids objects get.
    pub request_dice: Dice,
    /// Objects and relations.
    pub store: Store,
    /// Access tokens by their secret.
    pub access_tokens: HashMap<String, AccessToken>,
    /// Assertion ids that were used already, with their ends in seconds.
    pub used_assertions: HashMap<String, i64>,
    /// Resource units.
    pub limiter: Limiter,
    /// `/auditLogs/directoryAudits`.
    pub audits: AuditLog,
    /// Delta tokens of earlier epochs are refused.
    pub delta_epoch: u64,
    /// How often something that is gone was removed again, for the shapes that alternate.
    pub repeats: u64,
}

impl Tenant {
    /// A tenant with nobody in it; the service principals of the applications in `settings` exist.
    pub fn new(name: &str, seed: u64, settings: Settings, now_ms: i64) -> Self {
        let mut dice = Dice::new(seed, &format!("entra/{name}/objects"));
        let id = settings
            .tenant_id
            .clone()
            .unwrap_or_else(|| guid(&mut dice));
        let mut tenant = Self {
            name: name.to_owned(),
            id,
            settings: Settings::default(),
            dice,
            request_dice: Dice::new(seed, &format!("entra/{name}/requests")),
            store: Store::default(),
            access_tokens: HashMap::new(),
            used_assertions: HashMap::new(),
            limiter: Limiter::default(),
            audits: AuditLog::default(),
            delta_epoch: 0,
            repeats: 0,
        };
        tenant.set(settings, now_ms);
        tenant
    }

    /// Gives the tenant new settings; what is in it stays.
    pub fn set(&mut self, settings: Settings, now_ms: i64) {
        for app in &settings.apps {
            self.plant_caller(app, now_ms);
        }
        self.settings = settings;
        self.limiter.clear();
    }

    /// A new object id.
    pub fn new_id(&mut self) -> String {
        guid(&mut self.dice)
    }

    /// The service principal of an application that calls: it is listed, assignable and deletable like any other.
    fn plant_caller(&mut self, app: &App, now_ms: i64) {
        let id = app.service_principal_id();
        let principal = record(json!({
            "id": id, "appId": app.client_id, "displayName": app.name, "accountEnabled": true,
            "appRoleAssignmentRequired": false, "servicePrincipalType": "Application",
            "appOwnerOrganizationId": self.id, "passwordCredentials": [], "keyCredentials": [],
            "appRoles": [], "tags": [], "createdDateTime": iso(now_ms), "deletedDateTime": null,
        }));
        if self.store.object(Table::ServicePrincipals, &id).is_none() {
            self.store.put(Table::ServicePrincipals, "", &id, principal);
        }
    }
}

/// A GUID as the directory writes them.
pub fn guid(dice: &mut Dice) -> String {
    let (high, low) = (dice.next(), dice.next());
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        (low >> 48) & 0xfff,
        low & 0xffff_ffff_ffff,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_guids_and_follow_the_seed() {
        let id = guid(&mut Dice::new(1, "x"));
        assert_eq!(id.len(), 36);
        assert_eq!(
            id.split('-').map(str::len).collect::<Vec<_>>(),
            [8, 4, 4, 4, 12]
        );
        assert_eq!(id, guid(&mut Dice::new(1, "x")));
    }
}
