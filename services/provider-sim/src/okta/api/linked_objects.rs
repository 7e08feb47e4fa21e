//! Links between users, such as manager and subordinate.

use serde_json::{Value, json};

use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::ApiError;
use crate::okta::page::whole;
use crate::okta::state::Org;

/// `GET /meta/schemas/user/linkedObjects`.
pub fn definitions(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let side =
        |name: &str| json!({ "name": name, "title": name, "description": name, "type": "USER" });
    let pair = |primary: &str, associated: &str| json!({ "primary": side(primary), "associated": side(associated) });
    let items: Vec<Value> = org
        .linked
        .iter()
        .map(|linked| pair(&linked.primary, &linked.associated))
        .collect();
    Ok(whole(call, &items))
}

/// `GET /users/{user}/linkedObjects/{relation}`: by the primary's name the one, by the associated's name the many.
pub fn list_of_user(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = org.user_in(call, 0)?;
    let relation = call.argument(1);
    let (primary, wants_one) = definition(org, relation)?;
    let ids: Vec<&str> = match wants_one {
        true => org
            .user(&id)?
            .linked
            .get(primary)
            .map(String::as_str)
            .into_iter()
            .collect(),
        false => org
            .users
            .values()
            .filter(|user| user.linked.get(primary) == Some(&id))
            .map(|user| user.id.as_str())
            .collect(),
    };
    let items: Vec<Value> =
        ids.iter().map(|id| json!({ "_links": { "self": { "href": call.url(&format!("/api/v1/users/{id}")) } } })).collect();
    Ok(whole(call, &items))
}

/// `DELETE /users/{user}/linkedObjects/{relation}`: from the associated user, by the primary's name; 404 without a link.
pub fn delete_of_user(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = org.user_in(call, 0)?;
    let relation = call.argument(1);
    let (primary, wants_one) = definition(org, relation)?;
    if !wants_one {
        return Err(ApiError::validation(
            "linkedObjects",
            "Only the primary's name can be deleted",
        ));
    }
    let primary = primary.to_owned();
    let removed = org.user_mut(&id)?.linked.remove(&primary);
    removed.ok_or_else(|| ApiError::not_found(relation, "LinkedObject"))?;
    org.log(
        call,
        "user.account.update_profile",
        vec![org.user_target(&id)],
    );
    Ok(Reply::empty(204))
}

/// The primary's name of the definition that `relation` belongs to, and whether `relation` is that name.
fn definition<'a>(org: &'a Org, relation: &str) -> Result<(&'a str, bool), ApiError> {
    let found = org
        .linked
        .iter()
        .find(|linked| linked.primary == relation || linked.associated == relation);
    let found = found.ok_or_else(|| ApiError::not_found(relation, "LinkedObjectDefinition"))?;
    Ok((&found.primary, found.primary == relation))
}
