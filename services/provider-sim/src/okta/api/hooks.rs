//! Event hooks and inline hooks. One that is active cannot be deleted.

use serde_json::{Value, json};

use crate::clock::iso;
use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::ApiError;
use crate::okta::page::whole;
use crate::okta::state::{Hook, HookKind, Org};
use crate::okta::system_log::Target;

/// `GET /eventHooks`.
pub fn list_event(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    Ok(list(org, call, HookKind::Event))
}

/// `GET /inlineHooks`.
pub fn list_inline(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    Ok(list(org, call, HookKind::Inline))
}

/// `GET /eventHooks/{hook}`.
pub fn get_event(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    get(org, call, HookKind::Event)
}

/// `GET /inlineHooks/{hook}`.
pub fn get_inline(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    get(org, call, HookKind::Inline)
}

/// `POST /eventHooks/{hook}/lifecycle/activate`.
pub fn activate_event(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    switch(org, call, HookKind::Event, true)
}

/// `POST /inlineHooks/{hook}/lifecycle/activate`.
pub fn activate_inline(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    switch(org, call, HookKind::Inline, true)
}

/// `POST /eventHooks/{hook}/lifecycle/deactivate`.
pub fn deactivate_event(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    switch(org, call, HookKind::Event, false)
}

/// `POST /inlineHooks/{hook}/lifecycle/deactivate`.
pub fn deactivate_inline(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    switch(org, call, HookKind::Inline, false)
}

/// `DELETE /eventHooks/{hook}`.
pub fn delete_event(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    delete(org, call, HookKind::Event)
}

/// `DELETE /inlineHooks/{hook}`.
pub fn delete_inline(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    delete(org, call, HookKind::Inline)
}

fn list(org: &Org, call: &Call, kind: HookKind) -> Reply {
    let hooks = org.hooks.values().filter(|hook| hook.kind == kind);
    let items: Vec<Value> = hooks.map(to_json).collect();
    whole(call, &items)
}

fn get(org: &mut Org, call: &Call, kind: HookKind) -> Result<Reply, ApiError> {
    Ok(Reply::json(200, &to_json(find(org, call, kind)?)))
}

fn switch(org: &mut Org, call: &Call, kind: HookKind, active: bool) -> Result<Reply, ApiError> {
    let hook = find(org, call, kind)?;
    let changed = std::mem::replace(&mut hook.active, active) != active;
    let reply = Reply::json(200, &to_json(hook));
    if !changed {
        return Ok(reply.unchanged());
    }
    let event = match (kind, active) {
        (HookKind::Event, true) => "event_hook.activated",
        (HookKind::Event, false) => "event_hook.deactivated",
        (HookKind::Inline, true) => "inline_hook.activated",
        (HookKind::Inline, false) => "inline_hook.deactivated",
    };
    let target = target(hook);
    org.log(call, event, vec![target]);
    Ok(reply)
}

fn delete(org: &mut Org, call: &Call, kind: HookKind) -> Result<Reply, ApiError> {
    let hook = find(org, call, kind)?;
    if hook.active {
        let cause = "An active hook cannot be deleted";
        return Err(ApiError::validation("hook", cause));
    }
    let target = target(hook);
    org.hooks.remove(call.argument(0));
    let event = match kind {
        HookKind::Event => "event_hook.deleted",
        HookKind::Inline => "inline_hook.deleted",
    };
    org.log(call, event, vec![target]);
    Ok(Reply::empty(204))
}

fn find<'a>(org: &'a mut Org, call: &Call, kind: HookKind) -> Result<&'a mut Hook, ApiError> {
    let id = call.argument(0);
    let hook = org.hooks.get_mut(id).filter(|hook| hook.kind == kind);
    hook.ok_or_else(|| ApiError::not_found(id, "Hook"))
}

fn target(hook: &Hook) -> Target {
    Target::new("Hook", &hook.id, &hook.name)
}

fn to_json(hook: &Hook) -> Value {
    let mut value = json!({
        "id": hook.id,
        "status": if hook.active { "ACTIVE" } else { "INACTIVE" },
        "name": hook.name,
        "created": iso(hook.created),
        "lastUpdated": iso(hook.created),
        "channel": { "type": "HTTP", "version": "1.0.0", "config": { "uri": hook.uri, "method": "POST" } },
    });
    match hook.kind {
        HookKind::Event => {
            value["verificationStatus"] = json!("VERIFIED");
            value["events"] = json!({ "type": "EVENT_TYPE", "items": hook.events });
        }
        HookKind::Inline => value["type"] = json!(hook.events.first()),
    }
    value
}
