//! People of a group. Groups from an identity provider may refuse changes.

use serde_json::Value;

use crate::exchange::Reply;
use crate::vanta::api::bulk;
use crate::vanta::call::Call;
use crate::vanta::error::ApiError;
use crate::vanta::page::page;
use crate::vanta::state::Tenant;

const ITEMS_MAX: usize = 100;

/// `GET /groups/{group}/people`: a bare array, or a list like any other.
pub fn list(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let group = &tenant.group(call.argument(0))?.id;
    let people = tenant
        .people
        .iter()
        .filter(|(_, person)| person.groups.contains(group));
    if !tenant.settings.unconfirmed.bare_arrays {
        return page(call, &tenant.settings, people, |person| {
            super::people::to_json(tenant, person, call.now_ms)
        });
    }
    let people: Vec<Value> = people
        .map(|(_, person)| super::people::to_json(tenant, person, call.now_ms))
        .collect();
    Ok(Reply::json(200, &people))
}

/// `POST /groups/{group}/people` with `{"id"}`.
pub fn add_one(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let body: Value = call.json()?;
    let id = body["id"].as_str().unwrap_or_default();
    let group = writable(tenant, call)?;
    tenant.person(id)?;
    let changed = join(tenant, id, &group);
    person_reply(tenant, call, id, changed)
}

/// `POST /groups/{group}/add-people`.
pub fn add(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let group = writable(tenant, call)?;
    bulk::each(tenant, call, ITEMS_MAX, |tenant, update| {
        tenant.person(&update.id).map_err(|_| "no such person")?;
        Ok(join(tenant, &update.id, &group))
    })
}

/// `DELETE /groups/{group}/people/{person}`.
pub fn remove_one(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let group = writable(tenant, call)?;
    let id = call.argument(1);
    tenant.person(id)?;
    let changed = leave(tenant, id, &group);
    if !changed && tenant.settings.unconfirmed.repeat_group_delete == 404 {
        return Err(ApiError::not_found("Membership"));
    }
    match tenant.settings.unconfirmed.group_delete {
        204 if changed => Ok(Reply::empty(204)),
        204 => Ok(Reply::empty(204).unchanged()),
        _ => person_reply(tenant, call, id, changed),
    }
}

/// `POST /groups/{group}/remove-people`.
pub fn remove(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let group = writable(tenant, call)?;
    bulk::each(tenant, call, ITEMS_MAX, |tenant, update| {
        tenant.person(&update.id).map_err(|_| "no such person")?;
        let changed = leave(tenant, &update.id, &group);
        match tenant.settings.unconfirmed.repeat_group_delete {
            404 if !changed => Err("not in the group"),
            _ => Ok(changed),
        }
    })
}

fn person_reply(tenant: &Tenant, call: &Call, id: &str, changed: bool) -> Result<Reply, ApiError> {
    let value = super::people::to_json(tenant, tenant.person(id)?, call.now_ms);
    let reply = Reply::json(200, &value);
    Ok(if changed { reply } else { reply.unchanged() })
}

/// The group of the path, where it takes changes.
fn writable(tenant: &Tenant, call: &Call) -> Result<String, ApiError> {
    let group = tenant.group(call.argument(0))?;
    if group.imported && !tenant.settings.unconfirmed.imported_groups_writable {
        return Err(ApiError::invalid("groupId", "the group is imported"));
    }
    Ok(group.id.clone())
}

fn join(tenant: &mut Tenant, person: &str, group: &str) -> bool {
    let person = tenant.people.get_mut(person);
    person.is_some_and(|person| person.groups.insert(group.to_owned()))
}

fn leave(tenant: &mut Tenant, person: &str, group: &str) -> bool {
    let person = tenant.people.get_mut(person);
    person.is_some_and(|person| person.groups.remove(group))
}
