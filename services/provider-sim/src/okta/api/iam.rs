//! Who has admin roles, org-wide. Pages through the body, not through `Link`.

use serde_json::{Value, json};

use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::ApiError;
use crate::okta::page::Page;
use crate::okta::state::Org;

/// Default and largest page.
const PAGE: (usize, usize) = (100, 100);

/// `GET /iam/assignees/users`.
pub fn list_admins(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let admins = org.users.iter().filter(|(_, user)| org.is_admin(user));
    let page = Page::cut(call, &org.settings, admins, PAGE)?;
    let value: Vec<Value> = page
        .items
        .iter()
        .map(|user| {
            let href = call.url(&format!("/api/v1/users/{}", user.id));
            json!({ "id": user.id, "orn": format!("orn:okta:directory:{}:users:{}", org.name, user.id), "_links": { "self": { "href": href } } })
        })
        .collect();
    let links = match page.next_address(call) {
        Some(next) => json!({ "next": { "href": next } }),
        None => json!({}),
    };
    Ok(Reply::json(
        200,
        &json!({ "value": value, "_links": links }),
    ))
}
