//! How one simulated application behaves: credentials, limits, and the dialect of SCIM that it speaks.

use serde::{Deserialize, Serialize};

use crate::passage::{PageRepeats, WindowSettings};

/// Settings of an application; everything has a default that follows the standard.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Bearer tokens that are accepted.
    pub tokens: Vec<Token>,
    /// The rate limit; over it, 429 with `Retry-After`.
    pub rate_limit: WindowSettings,
    /// What PATCH takes.
    pub patch: Patch,
    /// Whether PUT is there; without it, 501.
    pub put: bool,
    /// What DELETE of a user does.
    pub delete: Delete,
    /// Users have `active`.
    pub has_active: bool,
    /// `active` is written as `"True"` or `"False"`.
    pub active_as_string: bool,
    /// How many reads of a user pass before a change of `active` is done; PATCH then answers 202. 0: done at once.
    pub active_polls: u32,
    /// Users have `groups`.
    pub user_groups: bool,
    /// A deactivated user stays in their groups.
    pub deactivation_keeps_groups: bool,
    /// A deleted user stays in the members of their groups.
    pub deletion_keeps_members: bool,
    /// Lists with a filter answer with everything.
    pub ignore_filter: bool,
    /// Attributes that no filter may ask about, for instance `members.value`; 400 `invalidFilter`.
    pub refused_filters: Vec<String>,
    /// Attributes that filters know nothing of, for instance `emails.value`: such a filter finds nothing, with 200.
    pub unknown_filters: Vec<String>,
    /// What groups tell of their members.
    pub group_members: GroupMembers,
    /// How pages are asked for.
    pub pages: Pages,
    /// What a list without a filter is refused with: 400 `tooMany`, or 403.
    pub unfiltered_refusal: Option<u16>,
    /// A filter that matches nothing: 200 with an empty list, or 404.
    pub no_match_status: u16,
    /// The page size where the caller asks for none, and the largest.
    pub page_size_max: usize,
    /// Pages that come again.
    pub page_repeats: PageRepeats,
    /// Lists tell `totalResults`.
    pub total_results: bool,
    /// An empty list has `Resources`.
    pub empty_resources: bool,
    /// How attribute names are written.
    pub attribute_case: AttributeCase,
    /// Resources and lists carry members that no schema knows.
    pub unknown_members: bool,
    /// The shape of errors.
    pub error_style: ErrorStyle,
    /// `Content-Type` of answers.
    pub content_type: String,
    /// Resources have versions, and `If-Match` is obeyed.
    pub etag: bool,
    /// What `/ServiceProviderConfig` answers: 200, or 401, 403 or 404 where it is not served.
    pub discovery_status: u16,
}

/// An accepted bearer token.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// The secret.
    pub token: String,
    /// The name in the journal.
    #[serde(default = "default_token_name")]
    pub name: String,
}

/// What PATCH takes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Patch {
    /// The status where there is no PATCH at all: 501, 405 or 404.
    pub missing_status: Option<u16>,
    /// The forms in which `active` may be written.
    pub active: Vec<ActiveForm>,
    /// What becomes of `active` in another form.
    pub active_refusal: FormRefusal,
    /// The forms in which a member may be removed.
    pub members: Vec<MemberForm>,
    /// What becomes of a removal in another form.
    pub members_refusal: FormRefusal,
    /// Removing somebody who is not a member: 204, or 400 `noTarget`.
    pub missing_member_status: u16,
    /// A success is 200 with the resource, or 204.
    pub success_status: u16,
}

/// A form in which `active` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActiveForm {
    /// `{"path": "active", "value": false}`
    Path,
    /// `{"value": {"active": false}}`
    Pathless,
    /// `"False"` instead of `false`, with a path.
    String,
}

/// A form in which a member is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberForm {
    /// `{"op": "remove", "path": "members[value eq \"...\"]"}`
    Filter,
    /// `{"op": "remove", "path": "members", "value": [{"value": "..."}]}` takes the members named. Where this form is not
    /// taken, `value` is not looked at and all members go, as the standard has it.
    Value,
    /// `{"op": "replace", "path": "members", "value": [...]}` with those who stay.
    Replace,
}

/// What becomes of a form that is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FormRefusal {
    /// 400 `invalidPath`.
    InvalidPath,
    /// 400 `invalidSyntax`.
    InvalidSyntax,
    /// 400 `invalidValue`.
    InvalidValue,
    /// 400 without `scimType`.
    Plain,
    /// A success that changes nothing.
    Ignored,
}

/// What DELETE of a user does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delete {
    /// 204, and 404 from then on.
    Hard,
    /// 204; the user stays readable, with `active` false.
    Soft,
    /// 204; the user stays readable by id, with `active` false, is in no list, and a second DELETE finds nothing.
    Hidden,
    /// 501.
    Missing,
}

/// What groups tell of their members; filters know them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupMembers {
    /// All of them.
    Shown,
    /// An empty list.
    Empty,
    /// Nothing.
    Hidden,
}

/// How pages are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pages {
    /// By `startIndex`.
    Index,
    /// By `cursor` (RFC 9865): `startIndex` is not looked at, and only who sends `cursor` is told of a next page.
    Cursor,
}

/// How attribute names are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributeCase {
    /// As the schemas have them.
    Schema,
    /// All small.
    Lower,
    /// With a capital in front.
    Pascal,
}

/// The shape of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorStyle {
    /// RFC 7644: `status` is a string.
    StringStatus,
    /// `status` is a number.
    NumberStatus,
    /// `Errors`, as SCIM 1.1 had it.
    Scim1,
    /// A web page.
    Html,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tokens: Vec::new(),
            rate_limit: WindowSettings::default(),
            patch: Patch::default(),
            put: true,
            delete: Delete::Hard,
            has_active: true,
            active_as_string: false,
            active_polls: 0,
            user_groups: true,
            deactivation_keeps_groups: true,
            deletion_keeps_members: false,
            ignore_filter: false,
            refused_filters: Vec::new(),
            unknown_filters: Vec::new(),
            group_members: GroupMembers::Shown,
            pages: Pages::Index,
            unfiltered_refusal: None,
            no_match_status: 200,
            page_size_max: 100,
            page_repeats: PageRepeats::Off,
            total_results: true,
            empty_resources: true,
            attribute_case: AttributeCase::Schema,
            unknown_members: false,
            error_style: ErrorStyle::StringStatus,
            content_type: "application/scim+json".into(),
            etag: false,
            discovery_status: 200,
        }
    }
}

impl Default for Patch {
    fn default() -> Self {
        Self {
            missing_status: None,
            active: vec![ActiveForm::Path, ActiveForm::Pathless, ActiveForm::String],
            active_refusal: FormRefusal::InvalidPath,
            members: vec![MemberForm::Filter, MemberForm::Value, MemberForm::Replace],
            members_refusal: FormRefusal::InvalidPath,
            missing_member_status: 204,
            success_status: 200,
        }
    }
}

impl Settings {
    /// Refuses what cannot be simulated, naming the field.
    pub fn check(&self) -> Result<(), String> {
        let missing = self.patch.missing_status.unwrap_or(501);
        let statuses: [(&str, u16, &[u16]); 6] = [
            (
                "unfiltered_refusal",
                self.unfiltered_refusal.unwrap_or(400),
                &[400, 403],
            ),
            ("patch.missing_status", missing, &[501, 405, 404]),
            (
                "patch.missing_member_status",
                self.patch.missing_member_status,
                &[204, 400],
            ),
            (
                "patch.success_status",
                self.patch.success_status,
                &[200, 204],
            ),
            ("no_match_status", self.no_match_status, &[200, 404]),
            (
                "discovery_status",
                self.discovery_status,
                &[200, 401, 403, 404],
            ),
        ];
        for (name, status, allowed) in statuses {
            if !allowed.contains(&status) {
                return Err(format!("{name}: must be one of {allowed:?}"));
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
    fn defaults_pass_and_what_cannot_be_is_refused_by_name() {
        assert_eq!(Settings::default().check(), Ok(()));
        let settings: Settings =
            serde_json::from_str(r#"{"patch":{"missing_status":418}}"#).unwrap();
        assert!(settings.check().unwrap_err().contains("missing_status"));
        assert!(serde_json::from_str::<Settings>(r#"{"ignore_filters":true}"#).is_err());
    }
}
