//! Ids by the names that people use in a seed document.

use crate::control::Refusal;
use crate::okta::Org;

/// The id of the user that `name` means.
pub fn user(org: &Org, name: &str) -> Result<String, Refusal> {
    org.find_user(name)
        .ok_or_else(|| Refusal::not_found(&format!("the user {name:?}")))
}

/// The id of the group that `name` means.
pub fn group(org: &Org, name: &str) -> Result<String, Refusal> {
    let named = || {
        org.groups
            .values()
            .find(|group| group.name == name)
            .map(|group| group.id.clone())
    };
    let found = if org.groups.contains_key(name) {
        Some(name.to_owned())
    } else {
        named()
    };
    found.ok_or_else(|| Refusal::not_found(&format!("the group {name:?}")))
}

/// The id of the app that `name` means.
pub fn app(org: &Org, name: &str) -> Result<String, Refusal> {
    let labelled = || {
        org.apps
            .values()
            .find(|app| app.label == name)
            .map(|app| app.id.clone())
    };
    let found = if org.apps.contains_key(name) {
        Some(name.to_owned())
    } else {
        labelled()
    };
    found.ok_or_else(|| Refusal::not_found(&format!("the app {name:?}")))
}

/// The id of the rule that `name` means.
pub fn rule(org: &Org, name: &str) -> Result<String, Refusal> {
    let found = org
        .rules
        .values()
        .find(|rule| rule.id == name || rule.name == name);
    found
        .map(|rule| rule.id.clone())
        .ok_or_else(|| Refusal::not_found(&format!("the rule {name:?}")))
}

/// The id of the identity provider that `name` means.
pub fn idp(org: &Org, name: &str) -> Result<String, Refusal> {
    let found = org
        .idps
        .values()
        .find(|idp| idp.id == name || idp.name == name);
    found
        .map(|idp| idp.id.clone())
        .ok_or_else(|| Refusal::not_found(&format!("the identity provider {name:?}")))
}
