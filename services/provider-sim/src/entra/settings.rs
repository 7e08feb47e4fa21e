//! How one simulated tenant behaves: credentials, limits, delays, and the switches for what is not documented.

use serde::{Deserialize, Serialize};

use crate::dice::Dice;
use crate::entra::state::Lag;

/// Settings of a tenant; everything has a default that gets in nobody's way.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The tenant id; without one it follows the seed.
    pub tenant_id: Option<String>,
    /// Applications that may fetch access tokens.
    pub apps: Vec<App>,
    /// Lifetime of access tokens in seconds.
    pub access_token_lifetime_s: i64,
    /// Resource units of an application in 10 seconds.
    pub resource_units: u32,
    /// Writes of an application in 150 seconds.
    pub writes: u32,
    /// Calls of an application to one Azure subscription in 10 seconds.
    pub azure_calls: u32,
    /// How a 429 tells when to come back.
    pub retry_after: RetryAfter,
    /// For how long replicas show the state before a change, in milliseconds.
    pub replica_lag_ms: i64,
    /// For how many reads of what changed they do.
    pub replica_lag_reads: u32,
    /// Every second of these reads is up to date.
    pub replica_flapping: bool,
    /// For how long advanced queries show the state before a change, in milliseconds.
    pub index_lag_ms: i64,
    /// How long an event takes to appear in the audit log, in milliseconds.
    pub audit_lag_ms: i64,
    /// For how long an event is kept in the audit log, in days: 30, without a premium licence 7.
    pub audit_days: i64,
    /// The tenant's licences include the audit log; without, it is refused with 403.
    pub audits_licensed: bool,
    /// Questions of an application to the audit log in 10 seconds; the real limit is 5.
    pub audit_calls: u32,
    /// Items of a page where `$top` is not given.
    pub page_size: usize,
    /// The largest page of any list.
    pub page_size_max: usize,
    /// An empty page with a `nextLink` stands before each page but the first.
    pub empty_pages: bool,
    /// Pages that come again.
    pub page_repeats: PageRepeats,
    /// Lists with a filter answer with everything.
    pub ignore_filter: bool,
    /// Privileged Identity Management is licensed.
    pub pim: bool,
    /// For how long what was deleted can be restored, in days.
    pub deleted_days: i64,
    /// How long a delta token works, in seconds.
    pub delta_token_lifetime_s: i64,
    /// Delta entries come twice and out of order.
    pub delta_disorder: bool,
    /// Families that are refused with 403.
    pub forbidden_families: Vec<String>,
    /// What the documents leave open.
    pub unconfirmed: Unconfirmed,
}

/// An application that calls the tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// The client id.
    pub client_id: String,
    /// The name in the journal.
    #[serde(default = "default_name")]
    pub name: String,
    /// Its client secret.
    #[serde(default)]
    pub secret: Option<String>,
    /// The secret's end has passed.
    #[serde(default)]
    pub secret_expired: bool,
    /// Thumbprints (base64url) of its certificates, SHA-1 or SHA-256.
    #[serde(default)]
    pub thumbprints: Vec<String>,
    /// Application permissions that were consented; without the member, all.
    #[serde(default)]
    pub permissions: Option<Vec<String>>,
    /// Directory roles that it holds, which decide about administrators as targets.
    #[serde(default)]
    pub directory_roles: Vec<String>,
    /// It may read and change Azure role assignments.
    #[serde(default = "yes")]
    pub azure: bool,
}

/// How a 429 tells when to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// `Retry-After` in whole seconds.
    #[default]
    Whole,
    /// `Retry-After` with a fraction.
    Fractional,
    /// It does not.
    Absent,
}

/// Whether pages come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageRepeats {
    /// Never.
    #[default]
    Off,
    /// Each page comes twice.
    Twice,
    /// `nextLink` leads to the same page for ever.
    Forever,
}

/// How the repeated removal of a member or owner is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepeatedRemoval {
    /// 404 and 400, one after the other.
    #[default]
    Alternating,
    /// 404 `Request_ResourceNotFound`, which names the group.
    NotFound,
    /// 400 `Request_BadRequest`, "removed object references do not exist".
    BadRequest,
}

/// Behaviours that are not documented, or documented in two ways, each with the outcomes a client must survive.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Unconfirmed {
    /// `accountEnabled` of a user who is synced from a local directory: 204, or 400.
    pub disable_synced_user: u16,
    /// Status of a session revocation: 200, or 204.
    pub revoke_sessions_status: u16,
    /// Removing a member who is not there.
    pub repeated_removal: RepeatedRemoval,
    /// Removing a member of a dynamic group: 403, or 400.
    pub dynamic_removal: u16,
    /// Removing a licence that is not assigned: 400, or 200.
    pub remove_absent_licence: u16,
    /// PIM says of a removal that it has just carried out that there was nothing to remove.
    pub pim_gone_on_success: bool,
    /// PIM without a licence: 400, or 403.
    pub pim_unlicensed: u16,
    /// The PIM schedule stays listed when its role assignment was deleted directly.
    pub pim_schedule_lingers: bool,
    /// Role assignments of a deleted principal stay listed.
    pub roles_of_deleted_listed: bool,
    /// Deleting the default authentication method while others exist: 400, or 204.
    pub delete_default_method: u16,
    /// A restored user has the memberships and assignments from before.
    pub restore_keeps_access: bool,
    /// What was soft-deleted shows a prefixed user principal name, and as disabled.
    pub deleted_shown_changed: bool,
    /// Removing a secret that is not there: 404, or 400.
    pub remove_absent_password: u16,
    /// A key that is sent back without its content is kept; otherwise 400.
    pub null_key_kept: bool,
    /// Azure refuses to remove the last Owner of a subscription: 400 or 409; 0: it does not.
    pub azure_last_owner: u16,
    /// A question to the audit log that begins before its oldest event: 200, or 400.
    pub audits_long_ago: u16,
    /// The member of an error that carries the request id: `innerError` or `innererror`.
    pub inner_error: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tenant_id: None,
            apps: Vec::new(),
            access_token_lifetime_s: 3599,
            resource_units: 10_000_000,
            writes: 10_000_000,
            azure_calls: 10_000_000,
            retry_after: RetryAfter::Whole,
            replica_lag_ms: 0,
            replica_lag_reads: 0,
            replica_flapping: false,
            index_lag_ms: 0,
            audit_lag_ms: 0,
            audit_days: 30,
            audits_licensed: true,
            audit_calls: 10_000_000,
            page_size: 100,
            page_size_max: 999,
            empty_pages: false,
            page_repeats: PageRepeats::Off,
            ignore_filter: false,
            pim: true,
            deleted_days: 30,
            delta_token_lifetime_s: 7 * 86_400,
            delta_disorder: false,
            forbidden_families: Vec::new(),
            unconfirmed: Unconfirmed::default(),
        }
    }
}

impl Default for Unconfirmed {
    fn default() -> Self {
        Self {
            disable_synced_user: 204,
            revoke_sessions_status: 200,
            repeated_removal: RepeatedRemoval::Alternating,
            dynamic_removal: 403,
            remove_absent_licence: 400,
            pim_gone_on_success: false,
            pim_unlicensed: 400,
            pim_schedule_lingers: false,
            roles_of_deleted_listed: false,
            delete_default_method: 400,
            restore_keeps_access: true,
            deleted_shown_changed: true,
            remove_absent_password: 404,
            null_key_kept: true,
            azure_last_owner: 0,
            audits_long_ago: 200,
            inner_error: "innerError".into(),
        }
    }
}

impl Settings {
    /// Refuses what cannot be simulated, naming the field.
    pub fn check(&self) -> Result<(), String> {
        let open = &self.unconfirmed;
        let statuses: [(&str, u16, &[u16]); 9] = [
            ("disable_synced_user", open.disable_synced_user, &[204, 400]),
            (
                "revoke_sessions_status",
                open.revoke_sessions_status,
                &[200, 204],
            ),
            ("dynamic_removal", open.dynamic_removal, &[400, 403]),
            (
                "remove_absent_licence",
                open.remove_absent_licence,
                &[200, 400],
            ),
            ("pim_unlicensed", open.pim_unlicensed, &[400, 403]),
            (
                "delete_default_method",
                open.delete_default_method,
                &[204, 400],
            ),
            (
                "remove_absent_password",
                open.remove_absent_password,
                &[400, 404],
            ),
            ("azure_last_owner", open.azure_last_owner, &[0, 400, 409]),
            ("audits_long_ago", open.audits_long_ago, &[200, 400]),
        ];
        for (name, status, allowed) in statuses {
            if !allowed.contains(&status) {
                return Err(format!("unconfirmed.{name}: must be one of {allowed:?}"));
            }
        }
        if !["innerError", "innererror"].contains(&open.inner_error.as_str()) {
            return Err("unconfirmed.inner_error: must be innerError or innererror".into());
        }
        if self.page_size == 0 || self.page_size_max == 0 {
            return Err("page_size, page_size_max: must be at least 1".into());
        }
        Ok(())
    }

    /// How far replicas lag.
    pub fn lag(&self) -> Lag {
        Lag {
            ms: self.replica_lag_ms,
            reads: self.replica_lag_reads,
            flapping: self.replica_flapping,
            index_ms: self.index_lag_ms,
        }
    }
}

impl App {
    /// The id of its service principal: fixed by the client id, as settings carry no ids.
    pub fn service_principal_id(&self) -> String {
        crate::entra::state::guid(&mut Dice::new(0, &self.client_id))
    }
}

fn default_name() -> String {
    "worker".into()
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_pass_and_an_undocumented_outcome_is_refused_by_name() {
        assert_eq!(Settings::default().check(), Ok(()));
        let settings: Settings =
            serde_json::from_str(r#"{"unconfirmed":{"dynamic_removal":418}}"#).unwrap();
        assert!(settings.check().unwrap_err().contains("dynamic_removal"));
        assert!(serde_json::from_str::<Settings>(r#"{"repilca_lag_ms":5}"#).is_err());
    }
}
