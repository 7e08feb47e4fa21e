//! How one simulated realm behaves: what it offers, its limits, and the switches for what the documents leave open.

use serde::{Deserialize, Serialize};

use crate::passage::{PageRepeats, WindowSettings};

/// Settings of a realm; everything has a default that gets in nobody's way.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Tokens that the administration API takes as they are, beside those that the token endpoint gives out.
    pub admin_tokens: Vec<AdminToken>,
    /// The administration API of Keycloak is there.
    pub keycloak: bool,
    /// Revocation (RFC 7009) is offered.
    pub revocation: bool,
    /// Introspection (RFC 7662) is offered.
    pub introspection: bool,
    /// Global token revocation is offered, and reads its subject from here.
    pub global_token_revocation: Option<SubjectMember>,
    /// The issuer that the metadata name, where it is not the right one.
    pub issuer: Option<String>,
    /// Lifetime of access tokens in seconds.
    pub access_token_lifetime_s: i64,
    /// Lifetime of refresh tokens in seconds.
    pub refresh_token_lifetime_s: i64,
    /// The rate limit; over it, 429 with `Retry-After`.
    pub rate_limit: WindowSettings,
    /// The largest page of a list.
    pub page_size_max: usize,
    /// Pages that come again.
    pub page_repeats: PageRepeats,
    /// Searches for users answer with everybody.
    pub ignore_filter: bool,
    /// `exact` is not looked at: searches find parts of names.
    pub ignore_exact: bool,
    /// Representations carry members that nobody knows.
    pub unknown_members: bool,
    /// Families that answer 403, for instance `["users.consents"]`.
    pub forbidden_families: Vec<String>,
    /// What the documents leave open.
    pub unconfirmed: Unconfirmed,
}

/// An accepted bearer token of the administration API.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminToken {
    /// The secret.
    pub token: String,
    /// The name in the journal.
    #[serde(default = "default_token_name")]
    pub name: String,
}

/// Where a global token revocation names its subject; the drafts changed the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectMember {
    /// `sub_id`, the newer one.
    SubId,
    /// `subject`, the older one.
    Subject,
    /// Either.
    Either,
}

/// What becomes of a token of another client at the revocation endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Foreign {
    /// 200, and nothing happens.
    Ignored,
    /// 400 `invalid_grant`.
    Refused,
}

/// What PUT of a user does with members that were not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PutUser {
    /// They stay.
    Merge,
    /// They are cleared.
    Replace,
}

/// Behaviours that are not documented, each with the outcomes a client must survive.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Unconfirmed {
    /// PUT of a user.
    pub put_user: PutUser,
    /// PUT of a client.
    pub put_client: PutUser,
    /// `DELETE /sessions/{id}?isOffline=true`: 204, or 404 where it is not there.
    pub offline_session_delete: u16,
    /// Logging a user out also ends what was issued before, by `notBefore`; not so for lightweight users.
    pub logout_sets_not_before: bool,
    /// Disabling a user ends their sessions.
    pub disable_ends_sessions: bool,
    /// Disabling a client ends its sessions and tokens.
    pub disable_client_ends_sessions: bool,
    /// Introspection shows a token of a disabled user as inactive.
    pub introspection_checks_user: bool,
    /// Revoking a refresh token ends the access tokens of its grant too.
    pub revocation_cascades: bool,
    /// A token of another client at the revocation endpoint.
    pub foreign_token: Foreign,
    /// Global token revocation: 204, or 403 or 422 where it cannot be done.
    pub global_token_revocation: u16,
    /// Removing a consent, role, group or link that is not there: 204 or 404.
    pub repeat_delete: u16,
    /// Groups name the group above them by its id; without it, by their path alone.
    pub group_parent_id: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            admin_tokens: Vec::new(),
            keycloak: true,
            revocation: true,
            introspection: true,
            global_token_revocation: None,
            issuer: None,
            access_token_lifetime_s: 300,
            refresh_token_lifetime_s: 30 * 24 * 3600,
            rate_limit: WindowSettings::default(),
            page_size_max: 100,
            page_repeats: PageRepeats::Off,
            ignore_filter: false,
            ignore_exact: false,
            unknown_members: false,
            forbidden_families: Vec::new(),
            unconfirmed: Unconfirmed::default(),
        }
    }
}

impl Default for Unconfirmed {
    fn default() -> Self {
        Self {
            put_user: PutUser::Merge,
            put_client: PutUser::Merge,
            offline_session_delete: 204,
            logout_sets_not_before: true,
            disable_ends_sessions: false,
            disable_client_ends_sessions: false,
            introspection_checks_user: true,
            revocation_cascades: true,
            foreign_token: Foreign::Ignored,
            global_token_revocation: 204,
            repeat_delete: 204,
            group_parent_id: true,
        }
    }
}

impl Settings {
    /// Refuses what cannot be simulated, naming the field.
    pub fn check(&self) -> Result<(), String> {
        let open = &self.unconfirmed;
        let statuses: [(&str, u16, &[u16]); 3] = [
            (
                "offline_session_delete",
                open.offline_session_delete,
                &[204, 404],
            ),
            (
                "global_token_revocation",
                open.global_token_revocation,
                &[204, 403, 422],
            ),
            ("repeat_delete", open.repeat_delete, &[204, 404]),
        ];
        for (name, status, allowed) in statuses {
            if !allowed.contains(&status) {
                return Err(format!("unconfirmed.{name}: must be one of {allowed:?}"));
            }
        }
        if self.page_size_max == 0 {
            return Err("page_size_max: must be at least 1".into());
        }
        if self.rate_limit.window_s < 1 {
            return Err("rate_limit.window_s: must be at least 1".into());
        }
        Ok(())
    }
}

fn default_token_name() -> String {
    "token".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_pass_and_an_unknown_outcome_is_refused_by_name() {
        assert_eq!(Settings::default().check(), Ok(()));
        let settings: Settings =
            serde_json::from_str(r#"{"unconfirmed":{"repeat_delete":418}}"#).unwrap();
        assert!(settings.check().unwrap_err().contains("repeat_delete"));
        assert!(serde_json::from_str::<Settings>(r#"{"introspect":true}"#).is_err());
    }
}
