//! How one simulated org behaves: credentials, limits, delays, and the switches for what Okta does not document.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Settings of an org; everything has a default that gets in nobody's way.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// SSWS tokens that are accepted.
    pub ssws_tokens: Vec<SswsToken>,
    /// Service apps that may fetch access tokens.
    pub oauth_clients: Vec<OauthClient>,
    /// Lifetime of access tokens in seconds; Okta fixes it at one hour.
    pub access_token_lifetime_s: i64,
    /// A `manage` scope also lets its holder read.
    pub manage_implies_read: bool,
    /// Calls per window and bucket, where `rate_limits` names no other number.
    pub rate_limit: u32,
    /// Calls per window by bucket, for instance `"GET /api/v1/users/{id}": 10` or `"/api/v1/users*": 600`.
    pub rate_limits: BTreeMap<String, u32>,
    /// Length of a window in seconds.
    pub rate_window_s: i64,
    /// What part of a bucket one credential may use, in percent; Okta's default is 50.
    pub principal_percent: u32,
    /// Calls in flight at once; Okta's is 75, or 35 on the free plan.
    pub concurrency_limit: usize,
    /// How long `search` shows a user as before a change, in milliseconds.
    pub search_lag_ms: i64,
    /// How many searches show a user as before a change.
    pub search_lag_reads: u32,
    /// How long an app still counts someone who was taken out of a group that grants it, in milliseconds.
    pub app_lag_ms: i64,
    /// How many looks at the app's users still count them.
    pub app_lag_reads: u32,
    /// How many reads of a user pass before a deactivation is done; 0: done at once.
    pub deactivate_polls: u32,
    /// How long an event takes to appear in the System Log, in milliseconds.
    pub log_lag_ms: i64,
    /// The largest page of any paged list, whatever the caller asks for.
    pub page_size_max: Option<usize>,
    /// Pages that come again.
    pub page_repeats: PageRepeats,
    /// Lists with a filter or search answer with everything.
    pub ignore_filter: bool,
    /// `errorCauses` is an object, as some documented examples have it.
    pub error_causes_as_object: bool,
    /// Features that this org lacks: families that answer 401 E0000015.
    pub missing_features: Vec<String>,
    /// What the documents leave open.
    pub unconfirmed: Unconfirmed,
}

/// An accepted SSWS token.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SswsToken {
    /// The secret.
    pub token: String,
    /// The name in the journal and in `/api-tokens`.
    #[serde(default = "default_token_name")]
    pub name: String,
    /// The user whose token it is; the token dies with that user's account. Without one it is never listed.
    #[serde(default)]
    pub user_id: Option<String>,
}

/// A service app with `private_key_jwt`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OauthClient {
    /// The client id.
    pub client_id: String,
    /// Scopes in the app's grants.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whether the app has admin roles, the second gate beside scopes.
    #[serde(default = "yes")]
    pub admin: bool,
    /// False: the credentials are refused.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// Whether pages come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageRepeats {
    /// Never.
    #[default]
    Off,
    /// Each page comes twice, under two cursors.
    Twice,
    /// The `next` of a page leads to the same page for ever.
    Forever,
}

/// Whether something still works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnerTokens {
    /// Refused with 401.
    #[default]
    Rejected,
    /// Accepted.
    Valid,
}

/// Whether what was revoked is still listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Revoked {
    /// No longer listed.
    #[default]
    Gone,
    /// Listed with status `REVOKED`.
    Listed,
}

/// Behaviours that are known to happen but not documented, each with the outcomes a client must survive.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Unconfirmed {
    /// Suspend and unsuspend in a wrong status: 400 (E0000001) or 403 (E0000038).
    pub suspend_wrong_state: u16,
    /// Removing someone who is not in the group: 204 or 404.
    pub repeat_group_delete: u16,
    /// Clearing sessions of a deprovisioned user: 204, 403 or 404.
    pub sessions_delete_on_deprovisioned: u16,
    /// Resetting factors of a user who has none: 200 or 400.
    pub reset_factors_without_factors: u16,
    /// Resetting factors of a deprovisioned user: 200, 403 or 404.
    pub reset_factors_on_deprovisioned: u16,
    /// Deactivating an app that is inactive: 200, 400 or 403.
    pub app_deactivate_inactive: u16,
    /// Deleting an app that is active: 403 or 400.
    pub delete_active_app: u16,
    /// Revoking the tokens of an app that is inactive: 204, 400 or 403.
    pub app_tokens_inactive: u16,
    /// Deactivating an app takes its groups away; otherwise they stay assigned.
    pub app_deactivate_strips_groups: bool,
    /// Access tokens of an app that is inactive or gone.
    pub inactive_app_access_tokens: OwnerTokens,
    /// `credentials/jwks` as `{"jwks": {"keys": [...]}}` instead of an array.
    pub jwks_in_envelope: bool,
    /// Global token revocation: 204, or 400 or 403 where the org cannot do it.
    pub global_token_revocation: u16,
    /// SSWS tokens of a suspended owner.
    pub suspended_owner_tokens: OwnerTokens,
    /// Revoked refresh tokens and grants in their lists.
    pub revoked_tokens: Revoked,
    /// Deactivating a user revokes their refresh tokens too; otherwise they stay listed until someone revokes them.
    pub deactivate_revokes_tokens: bool,
    /// The body of an answer 200 without a declared schema: `""` or `"{}"`.
    pub empty_200_body: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ssws_tokens: Vec::new(),
            oauth_clients: Vec::new(),
            access_token_lifetime_s: 3600,
            manage_implies_read: false,
            rate_limit: 100_000,
            rate_limits: BTreeMap::new(),
            rate_window_s: 60,
            principal_percent: 100,
            concurrency_limit: 100_000,
            search_lag_ms: 0,
            search_lag_reads: 0,
            app_lag_ms: 0,
            app_lag_reads: 0,
            deactivate_polls: 0,
            log_lag_ms: 0,
            page_size_max: None,
            page_repeats: PageRepeats::Off,
            ignore_filter: false,
            error_causes_as_object: false,
            missing_features: Vec::new(),
            unconfirmed: Unconfirmed::default(),
        }
    }
}

impl Default for Unconfirmed {
    fn default() -> Self {
        Self {
            suspend_wrong_state: 400,
            repeat_group_delete: 204,
            sessions_delete_on_deprovisioned: 204,
            reset_factors_without_factors: 200,
            reset_factors_on_deprovisioned: 404,
            app_deactivate_inactive: 200,
            delete_active_app: 403,
            app_tokens_inactive: 204,
            app_deactivate_strips_groups: true,
            inactive_app_access_tokens: OwnerTokens::Valid,
            jwks_in_envelope: false,
            global_token_revocation: 204,
            suspended_owner_tokens: OwnerTokens::Rejected,
            revoked_tokens: Revoked::Gone,
            deactivate_revokes_tokens: false,
            empty_200_body: "{}".into(),
        }
    }
}

impl Settings {
    /// Refuses what cannot be simulated, naming the field.
    pub fn check(&self) -> Result<(), String> {
        let open = &self.unconfirmed;
        let statuses: [(&str, u16, &[u16]); 9] = [
            ("suspend_wrong_state", open.suspend_wrong_state, &[400, 403]),
            ("repeat_group_delete", open.repeat_group_delete, &[204, 404]),
            (
                "sessions_delete_on_deprovisioned",
                open.sessions_delete_on_deprovisioned,
                &[204, 403, 404],
            ),
            (
                "reset_factors_without_factors",
                open.reset_factors_without_factors,
                &[200, 400],
            ),
            (
                "reset_factors_on_deprovisioned",
                open.reset_factors_on_deprovisioned,
                &[200, 403, 404],
            ),
            (
                "app_deactivate_inactive",
                open.app_deactivate_inactive,
                &[200, 400, 403],
            ),
            ("delete_active_app", open.delete_active_app, &[403, 400]),
            (
                "app_tokens_inactive",
                open.app_tokens_inactive,
                &[204, 400, 403],
            ),
            (
                "global_token_revocation",
                open.global_token_revocation,
                &[204, 400, 403],
            ),
        ];
        for (name, status, allowed) in statuses {
            if !allowed.contains(&status) {
                return Err(format!("unconfirmed.{name}: must be one of {allowed:?}"));
            }
        }
        if !["", "{}"].contains(&open.empty_200_body.as_str()) {
            return Err("unconfirmed.empty_200_body: must be \"\" or \"{}\"".into());
        }
        if self.rate_window_s < 1 {
            return Err("rate_window_s: must be at least 1".into());
        }
        if self.page_size_max == Some(0) {
            return Err("page_size_max: must be at least 1".into());
        }
        if !(1..=100).contains(&self.principal_percent) {
            return Err("principal_percent: must be 1 to 100".into());
        }
        Ok(())
    }
}

fn default_token_name() -> String {
    "token".into()
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
            serde_json::from_str(r#"{"unconfirmed":{"repeat_group_delete":418}}"#).unwrap();
        assert!(
            settings
                .check()
                .unwrap_err()
                .contains("unconfirmed.repeat_group_delete")
        );
        assert!(serde_json::from_str::<Settings>(r#"{"serach_lag_ms":5}"#).is_err());
    }
}
