//! The endpoints, one file for each family.

pub mod api_tokens;
pub mod app_grants;
pub mod app_groups;
pub mod app_keys;
pub mod app_secrets;
pub mod app_tokens;
pub mod app_users;
pub mod apps;
pub mod authorization_servers;
pub mod client_roles;
pub mod clients;
pub mod devices;
pub mod factors;
pub mod grants;
pub mod groups;
pub mod hooks;
pub mod iam;
pub mod identity_providers;
pub mod lifecycle;
pub mod linked_objects;
pub mod logs;
pub mod members;
pub mod owners;
pub mod provisioning;
pub mod revocation;
pub mod roles;
pub mod rules;
pub mod sessions;
pub mod users;

use serde_json::json;

use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::ApiError;
use crate::okta::state::Org;
use crate::okta::system_log::Target;

impl Org {
    /// The id of the user named by variable segment `index` of the path.
    fn user_in(&self, call: &Call, index: usize) -> Result<String, ApiError> {
        let name = call.argument(index);
        self.find_user(name)
            .ok_or_else(|| ApiError::not_found(name, "User"))
    }

    /// An answer 200 whose schema is not declared.
    fn bare_200(&self) -> Reply {
        match self.settings.unconfirmed.empty_200_body.as_str() {
            "" => Reply::empty(200),
            _ => Reply::json(200, &json!({})),
        }
    }

    /// Writes an event to the System Log.
    fn log(&mut self, call: &Call, kind: &'static str, targets: Vec<Target>) {
        let uuid = uuid(self);
        self.events.record(call, uuid, kind, targets);
    }

    /// Writes an event of somebody who used none of the org's APIs.
    pub fn log_behind(
        &mut self,
        actor: (String, &'static str, String),
        now_ms: i64,
        kind: &'static str,
        targets: Vec<Target>,
    ) {
        let uuid = uuid(self);
        self.events
            .record_behind(actor, now_ms, uuid, kind, targets);
    }

    /// The user `id` as a target of an event.
    pub fn user_target(&self, id: &str) -> Target {
        let login = self
            .users
            .get(id)
            .map(|user| user.core.login())
            .unwrap_or_default();
        Target::new("User", id, login)
    }

    /// The group `id` as a target of an event.
    pub fn group_target(&self, id: &str) -> Target {
        Target::new(
            "UserGroup",
            id,
            self.groups
                .get(id)
                .map(|group| group.name.as_str())
                .unwrap_or_default(),
        )
    }

    /// The app `id` as a target of an event.
    fn app_target(&self, id: &str) -> Target {
        Target::new(
            "AppInstance",
            id,
            self.apps
                .get(id)
                .map(|app| app.label.as_str())
                .unwrap_or_default(),
        )
    }
}

/// A version 4 UUID from the org's dice.
fn uuid(org: &mut Org) -> String {
    let (high, low) = (org.request_dice.next(), org.request_dice.next());
    let (a, b, c) = (high >> 32, (high >> 16) & 0xffff, (high & 0x0fff) | 0x4000);
    let (d, e) = (((low >> 48) & 0x3fff) | 0x8000, low & 0xffff_ffff_ffff);
    format!("{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
}
