//! Owners of groups.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::ApiError;
use crate::okta::page::Page;
use crate::okta::state::Org;

/// Default and largest page.
const PAGE: (usize, usize) = (1000, 1000);

#[derive(Deserialize)]
struct NewOwner {
    id: String,
}

/// `GET /groups/{group}/owners`.
pub fn list(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let group = org.group(call.argument(0))?;
    let owners = group.owners.iter().map(|id| (id, id));
    let page = Page::cut(call, &org.settings, owners, PAGE)?;
    Ok(page.reply(call, |id| to_json(org, id)))
}

/// `POST /groups/{group}/owners`.
pub fn add(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let group = org.group(call.argument(0))?.id.clone();
    let asked: NewOwner = call.json()?;
    let id = org.user(&asked.id)?.id.clone();
    if let Some(group) = org.groups.get_mut(&group) {
        group.owners.insert(id.clone());
    }
    org.log(
        call,
        "group.owner.add",
        vec![org.user_target(&id), org.group_target(&group)],
    );
    Ok(Reply::json(201, &to_json(org, &id)))
}

/// `DELETE /groups/{group}/owners/{user}`: 404 for who is no owner.
pub fn remove(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let group = org.group(call.argument(0))?.id.clone();
    let id = call.argument(1);
    if !org
        .groups
        .get_mut(&group)
        .is_some_and(|group| group.owners.remove(id))
    {
        return Err(ApiError::not_found(id, "GroupOwner"));
    }
    org.log(
        call,
        "group.owner.remove",
        vec![org.user_target(id), org.group_target(&group)],
    );
    Ok(Reply::empty(204))
}

fn to_json(org: &Org, id: &str) -> Value {
    let name = org
        .users
        .get(id)
        .map(|user| user.core.login())
        .unwrap_or_default();
    json!({ "id": id, "type": "USER", "displayName": name, "originType": "OKTA_DIRECTORY", "resolved": true })
}
