//! One event of the directory's audit log (`directoryAudit`), read without the names that it holds.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use sever_provider::LogEntry;

use super::activities::gives;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    id: String,
    activity_date_time: Timestamp,
    activity_display_name: String,
    #[serde(default)]
    correlation_id: Option<String>,
    #[serde(default)]
    result: Option<String>,
    #[serde(default)]
    logged_by_service: Option<String>,
    #[serde(default)]
    initiated_by: Option<Initiators>,
    #[serde(default)]
    target_resources: Option<Vec<Target>>,
}

#[derive(Debug, Default, Deserialize)]
struct Initiators {
    #[serde(default)]
    user: Option<User>,
    #[serde(default)]
    app: Option<App>,
}

#[derive(Debug, Deserialize)]
struct User {
    #[serde(default)]
    id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct App {
    #[serde(default)]
    app_id: Option<String>,
    #[serde(default)]
    service_principal_id: Option<String>,
}

/// The documents write `type` and `Type`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    #[serde(default)]
    id: Option<String>,
    #[serde(default, alias = "Type")]
    r#type: Option<String>,
    #[serde(default)]
    modified_properties: Option<Vec<Modified>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Modified {
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    new_value: Option<String>,
}

/// The event that an item of the list is; `None` where it cannot be read.
pub(super) fn read(item: Value) -> Option<Event> {
    serde_json::from_value(item).ok()
}

impl Event {
    pub(super) const fn at(&self) -> Timestamp {
        self.activity_date_time
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// What the event gave to the target; `None` where it is about something else, is older, failed, or gave nothing.
    pub(super) fn into_entry(self, target: &str, since: Timestamp) -> Option<LogEntry> {
        let targets = self.target_resources.unwrap_or_default();
        let is_target = |one: &&Target| has_id(one, target);
        let switched_on = targets.iter().find(is_target)?.is_switched_on();
        let failed = matches!(self.result.as_deref(), Some("failure" | "timeout"));
        if failed
            || self.activity_date_time < since
            || !gives(&self.activity_display_name, switched_on)
        {
            return None;
        }
        let other = targets.iter().filter(|one| !has_id(one, target));
        let role = targets.iter().find_map(Target::role);
        let given = other.filter_map(Target::word).next();
        let service = self.logged_by_service.unwrap_or_default();
        let (actor_kind, actor) = actor(self.initiated_by.unwrap_or_default(), service);
        Some(LogEntry {
            at: self.activity_date_time,
            event: self.activity_display_name,
            actor_kind: actor_kind.to_owned(),
            actor,
            given: given.or(role),
            entry: self.id,
            correlation: self.correlation_id.filter(|id| !id.is_empty()),
        })
    }
}

/// Who did it. Microsoft's own services (a group's rule, Privileged Identity Management) are applications without ids: of them the
/// service that wrote the event is named.
fn actor(by: Initiators, service: String) -> (&'static str, String) {
    let some = |id: Option<String>| id.filter(|id| !id.is_empty());
    let (is_user, is_app) = (by.user.is_some(), by.app.is_some());
    let user = by.user.and_then(|user| some(user.id));
    let (principal, app) = by.app.map_or((None, None), |app| {
        (some(app.service_principal_id), some(app.app_id))
    });
    let named = user.map(|id| ("User", id));
    let named = named.or(principal.map(|id| ("ServicePrincipal", id)));
    let named = named.or(app.map(|id| ("Application", id)));
    named.unwrap_or(match (is_user, is_app) {
        (true, _) => ("User", String::new()),
        (false, true) => ("System", service),
        (false, false) => ("unknown", String::new()),
    })
}

fn has_id(one: &Target, target: &str) -> bool {
    let id = one.id.as_deref();
    id.is_some_and(|id| id.eq_ignore_ascii_case(target))
}

impl Target {
    /// Its type and id; `None` where it has no id.
    fn word(&self) -> Option<String> {
        let id = self.id.as_deref().filter(|id| !id.is_empty())?;
        let kind = self.r#type.as_deref().unwrap_or("Other");
        Some(format!("{kind}:{id}"))
    }

    /// The role that was given, which some events name nowhere else.
    fn role(&self) -> Option<String> {
        let id = self.new_value("Role.TemplateId")?;
        (!id.is_empty()).then(|| format!("Role:{id}"))
    }

    fn is_switched_on(&self) -> bool {
        let enabled = self.new_value("AccountEnabled");
        enabled.is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// What a member was changed to. Values are JSON inside a text, some of them in a list: `"[true]"`.
    fn new_value(&self, name: &str) -> Option<String> {
        let modified = self.modified_properties.iter().flatten();
        let mut modified = modified.filter(|one| one.display_name.as_deref() == Some(name));
        let value = modified.find_map(|one| one.new_value.as_deref())?;
        let bare = value.trim_matches(|sign| matches!(sign, '[' | ']' | '"' | ' '));
        Some(bare.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(change: Value) -> Option<LogEntry> {
        let mut event = json!({
            "id": "Directory_1", "category": "GroupManagement", "correlationId": "c1", "result": "success",
            "activityDisplayName": "Add member to group", "activityDateTime": "2026-11-22T12:00:00.5Z", "loggedByService": "Core Directory",
            "initiatedBy": {"user": {"id": "u-admin", "displayName": "Admin", "userPrincipalName": "admin@example.com"}, "app": null},
            "targetResources": [{"id": "g-1", "Type": "Group"}, {"id": "U-1", "type": "User", "userPrincipalName": "ada@example.com"}],
        });
        for (name, value) in change.as_object().unwrap() {
            event[name] = value.clone();
        }
        let since = "2026-11-22T12:00:00Z".parse().unwrap();
        read(event)?.into_entry("u-1", since)
    }

    #[test]
    fn an_event_names_who_gave_what_by_ids_alone() {
        let entry = told(json!({})).unwrap();
        assert_eq!(
            (entry.actor_kind.as_str(), entry.actor.as_str()),
            ("User", "u-admin")
        );
        assert_eq!(entry.given.as_deref(), Some("Group:g-1"));
        assert_eq!(entry.correlation.as_deref(), Some("c1"));
        let text = serde_json::to_string(&entry).unwrap();
        assert!(
            !text.contains("admin@") && !text.contains("Admin"),
            "{text}"
        );
    }

    #[test]
    fn an_application_is_named_by_its_id_and_a_service_by_its_log() {
        let of = |app: Value| {
            let entry = told(json!({"initiatedBy": {"user": null, "app": app}})).unwrap();
            (entry.actor_kind, entry.actor)
        };
        let pair = |kind: &str, id: &str| (kind.to_owned(), id.to_owned());
        let sync = json!({"displayName": "Sync", "servicePrincipalId": "sp-1", "appId": "a-1"});
        assert_eq!(of(sync), pair("ServicePrincipal", "sp-1"));
        assert_eq!(
            of(json!({"displayName": "Sync", "appId": "a-1"})),
            pair("Application", "a-1")
        );
        let rule = json!({"displayName": "Microsoft Approval Management", "servicePrincipalId": null, "appId": null});
        assert_eq!(of(rule), pair("System", "Core Directory"));
        let nobody = told(json!({"initiatedBy": null})).unwrap();
        assert_eq!(
            (nobody.actor_kind.as_str(), nobody.actor.as_str()),
            ("unknown", "")
        );
    }

    #[test]
    fn a_role_is_named_by_what_the_event_changed() {
        let modified =
            json!([{"displayName": "Role.TemplateId", "oldValue": null, "newValue": "\"r-1\""}]);
        let targets = json!([{"id": "u-1", "type": "User", "modifiedProperties": modified}]);
        let given =
            told(json!({"activityDisplayName": "Add member to role", "targetResources": targets}));
        assert_eq!(given.unwrap().given.as_deref(), Some("Role:r-1"));
    }

    #[test]
    fn an_update_counts_where_it_enables() {
        let update = |value: &str| {
            let modified = json!([{"displayName": "AccountEnabled", "oldValue": "[false]", "newValue": value}]);
            let targets = json!([{"id": "u-1", "type": "User", "modifiedProperties": modified}]);
            told(json!({"activityDisplayName": "Update user", "targetResources": targets}))
                .is_some()
        };
        assert!(update("[true]"));
        assert!(!update("[false]"));
    }

    #[test]
    fn what_is_older_failed_or_is_about_another_is_no_provenance() {
        assert!(told(json!({"activityDateTime": "2026-11-22T11:59:59Z"})).is_none());
        assert!(told(json!({"result": "failure"})).is_none());
        assert!(told(json!({"targetResources": [{"id": "u-2"}]})).is_none());
        assert!(told(json!({"targetResources": null})).is_none());
        assert!(told(json!({"activityDateTime": "yesterday"})).is_none());
    }
}
