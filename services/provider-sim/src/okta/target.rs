//! Which user a call concerns, for the journal and the fault rules.

use crate::okta::call::Call;
use crate::okta::routes::Found;
use crate::okta::state::Org;

/// The id of the user that a call concerns: in the path, in the body, or as the owner of what it names.
pub fn target_user(org: &Org, found: &Found, call: &Call) -> Option<String> {
    if let Some(index) = found.route.user_argument() {
        let name = call.argument(index);
        return Some(org.find_user(name).unwrap_or_else(|| name.to_owned()));
    }
    match found.route.operation {
        "get_api_token" | "revoke_api_token" => token_owner(org, call.argument(0)),
        "assign_app_user" | "add_owner" => named_in(call, "/id"),
        "revoke_everything" => {
            named_in(call, "/sub_id/id").or_else(|| named_in(call, "/sub_id/sub"))
        }
        _ => None,
    }
}

fn named_in(call: &Call, pointer: &str) -> Option<String> {
    let body: serde_json::Value = call.json().ok()?;
    body.pointer(pointer)?.as_str().map(str::to_owned)
}

fn token_owner(org: &Org, id: &str) -> Option<String> {
    let of_user = org.api_tokens.get(id).map(|token| token.user.clone());
    of_user.or_else(|| {
        let own = org
            .settings
            .ssws_tokens
            .iter()
            .find(|token| token.listed_id() == id)?;
        own.user_id.clone()
    })
}
