//! Group rules.

use serde_json::{Value, json};

use crate::clock::iso;
use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::ApiError;
use crate::okta::page::Page;
use crate::okta::state::{GroupRule, Org};

/// Default and largest page.
const PAGE: (usize, usize) = (50, 200);

/// `GET /groups/rules`.
pub fn list(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let page = Page::cut(call, &org.settings, org.rules.iter(), PAGE)?;
    Ok(page.reply(call, |rule| to_json(rule)))
}

/// `GET /groups/rules/{rule}`.
pub fn get(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    Ok(Reply::json(200, &to_json(find(org, call)?)))
}

/// `PUT /groups/rules/{rule}`: only while it is inactive. Takes the name and the excluded users.
pub fn replace(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let body: Value = call.json()?;
    let rule = find(org, call)?;
    if rule.active {
        return Err(ApiError::validation(
            "rule",
            "An active rule cannot be updated",
        ));
    }
    if let Some(name) = body["name"].as_str() {
        name.clone_into(&mut rule.name);
    }
    if let Some(excluded) = body
        .pointer("/conditions/people/users/exclude")
        .and_then(Value::as_array)
    {
        rule.excluded = excluded
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
    }
    rule.last_updated = call.now_ms;
    Ok(Reply::json(200, &to_json(rule)))
}

/// `POST .../lifecycle/activate`.
pub fn activate(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    switch(org, call, true)
}

/// `POST .../lifecycle/deactivate`.
pub fn deactivate(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    switch(org, call, false)
}

fn switch(org: &mut Org, call: &Call, active: bool) -> Result<Reply, ApiError> {
    let rule = find(org, call)?;
    let changed = std::mem::replace(&mut rule.active, active) != active;
    rule.last_updated = call.now_ms;
    Ok(if changed {
        Reply::empty(204)
    } else {
        Reply::empty(204).unchanged()
    })
}

fn find<'a>(org: &'a mut Org, call: &Call) -> Result<&'a mut GroupRule, ApiError> {
    let id = call.argument(0);
    org.rules
        .get_mut(id)
        .ok_or_else(|| ApiError::not_found(id, "GroupRule"))
}

fn to_json(rule: &GroupRule) -> Value {
    json!({
        "id": rule.id,
        "type": "group_rule",
        "name": rule.name,
        "status": if rule.active { "ACTIVE" } else { "INACTIVE" },
        "created": iso(rule.created),
        "lastUpdated": iso(rule.last_updated),
        "conditions": {
            "people": { "users": { "exclude": rule.excluded }, "groups": { "exclude": [] } },
            "expression": { "value": rule.expression, "type": "urn:okta:expression:1.0" },
        },
        "actions": { "assignUserToGroups": { "groupIds": rule.groups } },
    })
}
