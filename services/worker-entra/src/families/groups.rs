//! Direct group memberships, those that Privileged Identity Management holds included.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use super::reading::text;
use super::term;
use crate::tenant::Ask;

/// What of a group decides how a membership ends.
const SELECT: &str = "id,displayName,groupTypes,membershipRule,onPremisesSyncEnabled,mailEnabled,securityEnabled,isAssignableToRole";

/// Who decides about a membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupSource {
    /// The directory: a call of ours can end it.
    Cloud,
    /// A rule fills the group.
    Rule,
    /// A local directory.
    OnPremises,
    /// Exchange.
    Exchange,
}

/// The read of a principal's direct groups; `collection` is `users` or `servicePrincipals`.
#[must_use]
pub fn ask(collection: &str, id: &str) -> Ask {
    let path = [collection, id, "memberOf", "microsoft.graph.group"];
    Ask::new("reading the account's groups", "member_of", &path)
        .with("$select", SELECT)
        .with("$top", "999")
}

/// The read of the memberships and ownerships that Privileged Identity Management holds.
#[must_use]
pub fn ask_schedules(id: &str) -> Ask {
    let path = [
        "identityGovernance",
        "privilegedAccess",
        "group",
        "assignmentSchedules",
    ];
    Ask::new("reading the account's group schedules", "pim_groups", &path).of_principal(id)
}

/// The schedules of this principal and access (`member` or `owner`), by their group. One that lasts counts more than an
/// activation.
pub fn scheduled<'a>(
    schedules: &'a [Value],
    principal_id: &str,
    access: &str,
) -> BTreeMap<&'a str, &'a Value> {
    let is_activated =
        |item: &Value| text(item, "assignmentType").eq_ignore_ascii_case("activated");
    let mut by_group: BTreeMap<&str, &Value> = BTreeMap::new();
    let own = schedules.iter().filter(|item| {
        text(item, "principalId") == principal_id && text(item, "accessId") == access
    });
    for item in own {
        let known = by_group.entry(text(item, "groupId")).or_insert(item);
        if is_activated(known) {
            *known = item;
        }
    }
    by_group
}

/// The memberships. One that has a schedule only (the group shows it late, or never) counts too. Without the schedules any
/// of them may be an activation, so that each counts as privileged.
#[must_use]
pub fn entitlements(
    groups: &[Value],
    schedules: Option<&[Value]>,
    principal_id: &str,
) -> Vec<Entitlement> {
    let mut scheduled = scheduled(schedules.unwrap_or_default(), principal_id, "member");
    let is_group =
        |item: &&Value| matches!(text(item, "@odata.type"), "" | "#microsoft.graph.group");
    let mut held: Vec<Entitlement> = groups
        .iter()
        .filter(is_group)
        .map(|group| entitlement(group, scheduled.remove(text(group, "id"))))
        .collect();
    for (id, schedule) in scheduled {
        held.push(entitlement(&json!({ "id": id }), Some(schedule)));
    }
    if schedules.is_none() {
        held.iter_mut().for_each(may_be_activated);
    }
    held
}

/// Marks what the directory shows while the schedules may not be read.
pub fn may_be_activated(held: &mut Entitlement) {
    held.privileged = true;
    held.facts["scheduled"] = Value::Null;
}

fn entitlement(group: &Value, schedule: Option<&Value>) -> Entitlement {
    let assignable = group["isAssignableToRole"] == true;
    let mut facts = json!({
        "name": group["displayName"],
        "source": word(source_of(group)),
        "role_assignable": assignable,
        "scheduled": schedule.is_some(),
    });
    if let Some(schedule) = schedule {
        term::note(&mut facts, schedule);
    }
    Entitlement {
        kind: EntitlementKind::Group,
        provider_key: text(group, "id").to_owned(),
        privileged: assignable || schedule.is_some(),
        facts,
    }
}

/// Who decides about the members of a group as Graph shows it.
#[must_use]
pub fn source_of(group: &Value) -> GroupSource {
    let types = group["groupTypes"].as_array();
    let has = |wanted: &str| types.is_some_and(|types| types.iter().any(|kind| kind == wanted));
    if has("DynamicMembership") {
        GroupSource::Rule
    } else if group["onPremisesSyncEnabled"] == true {
        GroupSource::OnPremises
    } else if group["mailEnabled"] == true && !has("Unified") {
        GroupSource::Exchange
    } else {
        GroupSource::Cloud
    }
}

/// Who decides about the membership that was read.
#[must_use]
pub fn source(entitlement: &Entitlement) -> GroupSource {
    [
        GroupSource::Rule,
        GroupSource::OnPremises,
        GroupSource::Exchange,
    ]
    .into_iter()
    .find(|source| entitlement.facts["source"] == word(*source))
    .unwrap_or(GroupSource::Cloud)
}

const fn word(source: GroupSource) -> &'static str {
    match source {
        GroupSource::Cloud => "cloud",
        GroupSource::Rule => "rule",
        GroupSource::OnPremises => "on_premises",
        GroupSource::Exchange => "exchange",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_decides_about_a_group() {
        for (group, expected) in [
            (json!({"id": "g", "groupTypes": []}), GroupSource::Cloud),
            (
                json!({"id": "g", "groupTypes": ["Unified"], "mailEnabled": true}),
                GroupSource::Cloud,
            ),
            (
                json!({"id": "g", "groupTypes": ["DynamicMembership"]}),
                GroupSource::Rule,
            ),
            (
                json!({"id": "g", "groupTypes": ["Unified", "DynamicMembership"], "mailEnabled": true}),
                GroupSource::Rule,
            ),
            (
                json!({"id": "g", "onPremisesSyncEnabled": true}),
                GroupSource::OnPremises,
            ),
            (
                json!({"id": "g", "mailEnabled": true}),
                GroupSource::Exchange,
            ),
        ] {
            let held = entitlements(std::slice::from_ref(&group), Some(&[]), "u");
            assert_eq!(source(&held[0]), expected, "{group}");
        }
    }

    #[test]
    fn roles_and_units_are_no_groups_and_other_peoples_schedules_no_memberships() {
        let listed = [
            json!({"@odata.type": "#microsoft.graph.directoryRole", "id": "r"}),
            json!({"@odata.type": "#microsoft.graph.group", "id": "g", "isAssignableToRole": true}),
        ];
        let schedules = [
            json!({"principalId": "u", "accessId": "member", "groupId": "late"}),
            json!({"principalId": "u", "accessId": "owner", "groupId": "owned"}),
            json!({"principalId": "other", "accessId": "member", "groupId": "theirs"}),
        ];
        let held = entitlements(&listed, Some(&schedules), "u");
        let keys: Vec<&str> = held.iter().map(|held| held.provider_key.as_str()).collect();
        assert_eq!(keys, ["g", "late"]);
        assert!(held.iter().all(|held| held.privileged));
    }
}
