//! How one simulated tenant behaves: API applications, limits, delays, and the switches for what Vanta does not document.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Settings of a tenant; everything has a default that gets in nobody's way.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// API applications, as the Developer Console lists them.
    pub applications: Vec<Application>,
    /// Lifetime of access tokens in seconds; Vanta fixes it at one hour.
    pub access_token_lifetime_s: i64,
    /// Token requests per window, of all applications together; Vanta's is 5.
    pub token_rate_limit: u32,
    /// Calls per window and application, where `rate_limits` names no other number; Vanta's is about 50.
    pub rate_limit: u32,
    /// Calls per window and application by API: `manage` or `build`.
    pub rate_limits: BTreeMap<String, u32>,
    /// Length of a window in seconds.
    pub rate_window_s: i64,
    /// How long Vanta shows a monitored account as before a change at its source, in milliseconds.
    pub sync_delay_ms: i64,
    /// How many looks at the person still show it so.
    pub sync_delay_reads: u32,
    /// The largest page of any paged list, whatever the caller asks for.
    pub page_size_max: Option<usize>,
    /// Pages that come again.
    pub page_repeats: PageRepeats,
    /// Lists with a filter answer with everything.
    pub ignore_filter: bool,
    /// Operations that this tenant lacks: their paths answer 404.
    pub missing_operations: Vec<String>,
    /// What the documents leave open.
    pub unconfirmed: Unconfirmed,
}

/// An API application.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// The client id.
    pub client_id: String,
    /// The secret that is valid now; regenerating it invalidates earlier ones.
    pub client_secret: String,
    /// The name in the journal and in the Developer Console; the client id without one.
    #[serde(default)]
    pub name: Option<String>,
    /// What it is for; fixes its scopes.
    #[serde(default, rename = "type")]
    pub kind: ApplicationKind,
    /// The person who created it, by id or e-mail.
    #[serde(default)]
    pub created_by: Option<String>,
    /// Ids of the resources that it may push, from the Developer Console; empty: any.
    #[serde(default)]
    pub resource_ids: Vec<String>,
}

/// What an application is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationKind {
    /// Manage Vanta.
    #[default]
    Manage,
    /// Build Integrations, private.
    Build,
    /// Auditor.
    Auditor,
}

impl ApplicationKind {
    /// The scopes that the type allows.
    pub fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::Manage => &["vanta-api.all:read", "vanta-api.all:write"],
            Self::Build => &[
                "connectors.self:read-resource",
                "connectors.self:write-resource",
            ],
            Self::Auditor => &[
                "auditor-api.audit:read",
                "auditor-api.audit:write",
                "auditor-api.auditor:read",
                "auditor-api.auditor:write",
            ],
        }
    }
}

impl Application {
    /// The name that people see.
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.client_id)
    }
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
    /// `endCursor` of a page leads to the same page for ever.
    Forever,
}

/// The shape of an error body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorBody {
    /// `{"message"}`.
    #[default]
    Message,
    /// `{"error"}`.
    Error,
    /// `{"errors": [{"field", "message"}]}`.
    Errors,
    /// No body.
    Empty,
}

/// Which query key filters people by employment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmploymentFilter {
    /// `employmentStatusMatchesAny`; the other one is ignored.
    #[default]
    MatchesAny,
    /// `employmentStatus`; the other one is ignored.
    Status,
}

/// What an item of a bulk call answers when its effect is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// `SUCCESS`.
    #[default]
    Success,
    /// `ERROR`.
    Error,
}

/// Whether something that was taken away is still answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Afterwards {
    /// Shown, marked as gone.
    #[default]
    Shown,
    /// No longer shown.
    Gone,
}

/// What disconnecting an integration in the web pages leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disconnected {
    /// The integration is no longer listed.
    #[default]
    IntegrationGone,
    /// The integration is listed without connections.
    ConnectionGone,
    /// Its connections are listed as disabled.
    Disabled,
}

/// Behaviours that are known to happen but not documented, each with the outcomes a client must survive.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Unconfirmed {
    /// A 429 carries `Retry-After`.
    pub retry_after: bool,
    /// The shape of an error body.
    pub error_body: ErrorBody,
    /// An item of a bulk call that failed says why; otherwise its message is `Invalid Input`.
    pub item_errors_say_why: bool,
    /// The query key that filters people by employment.
    pub employment_filter: EmploymentFilter,
    /// People carry `userId`.
    pub people_have_user_id: bool,
    /// `GET /users/{id}` of a deactivated user.
    pub deactivated_user: Afterwards,
    /// Deactivating a user who is deactivated.
    pub repeat_deactivate: Repeat,
    /// Marking what is marked so already.
    pub repeat_mark: Repeat,
    /// A record marked as not a person in `/people`.
    pub not_people: Afterwards,
    /// Taking a person out of a group: 200 with the person, or 204.
    pub group_delete: u16,
    /// Taking out of a group who is not in it: 200 or 404.
    pub repeat_group_delete: u16,
    /// Groups imported from an identity provider take changes.
    pub imported_groups_writable: bool,
    /// `/groups/{id}/people` and `/integrations/{id}/resource-kinds` answer with a bare array.
    pub bare_arrays: bool,
    /// The status of a path that exists without this method: 405 or 404.
    pub wrong_method: u16,
    /// What the web pages leave of a disconnected integration.
    pub disconnected: Disconnected,
    /// The body of an accepted `PUT /resources/{type}`: `{"success":true}` or nothing.
    pub put_resources_body: bool,
    /// Pushed user accounts that a later `PUT` left out.
    pub omitted_accounts: Afterwards,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            applications: Vec::new(),
            access_token_lifetime_s: 3600,
            token_rate_limit: 5,
            rate_limit: 100_000,
            rate_limits: BTreeMap::new(),
            rate_window_s: 60,
            sync_delay_ms: 0,
            sync_delay_reads: 0,
            page_size_max: None,
            page_repeats: PageRepeats::Off,
            ignore_filter: false,
            missing_operations: Vec::new(),
            unconfirmed: Unconfirmed::default(),
        }
    }
}

impl Default for Unconfirmed {
    fn default() -> Self {
        Self {
            retry_after: true,
            error_body: ErrorBody::Message,
            item_errors_say_why: false,
            employment_filter: EmploymentFilter::MatchesAny,
            people_have_user_id: true,
            deactivated_user: Afterwards::Shown,
            repeat_deactivate: Repeat::Success,
            repeat_mark: Repeat::Success,
            not_people: Afterwards::Gone,
            group_delete: 200,
            repeat_group_delete: 200,
            imported_groups_writable: false,
            bare_arrays: true,
            wrong_method: 405,
            disconnected: Disconnected::IntegrationGone,
            put_resources_body: true,
            omitted_accounts: Afterwards::Shown,
        }
    }
}

impl Settings {
    /// Refuses what cannot be simulated, naming the field.
    pub fn check(&self) -> Result<(), String> {
        let open = &self.unconfirmed;
        let statuses: [(&str, u16, &[u16]); 3] = [
            ("group_delete", open.group_delete, &[200, 204]),
            ("repeat_group_delete", open.repeat_group_delete, &[200, 404]),
            ("wrong_method", open.wrong_method, &[405, 404]),
        ];
        for (name, status, allowed) in statuses {
            if !allowed.contains(&status) {
                return Err(format!("unconfirmed.{name}: must be one of {allowed:?}"));
            }
        }
        if self.rate_window_s < 1 {
            return Err("rate_window_s: must be at least 1".into());
        }
        if self.page_size_max == Some(0) {
            return Err("page_size_max: must be at least 1".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_pass_and_an_undocumented_outcome_is_refused_by_name() {
        assert_eq!(Settings::default().check(), Ok(()));
        let settings: Settings =
            serde_json::from_str(r#"{"unconfirmed":{"wrong_method":418}}"#).unwrap();
        assert!(
            settings
                .check()
                .unwrap_err()
                .contains("unconfirmed.wrong_method")
        );
        assert!(serde_json::from_str::<Settings>(r#"{"tokn_rate_limit":5}"#).is_err());
    }
}
