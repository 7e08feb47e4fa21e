//! Identity providers and the accounts of users at them.

use serde_json::{Value, json};

use crate::clock::iso;
use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::ApiError;
use crate::okta::page::{Page, whole};
use crate::okta::state::{Idp, Org};
use crate::okta::system_log::Target;

/// Default and largest page.
const PAGE: (usize, usize) = (20, 200);

/// `GET /idps`.
pub fn list(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let page = Page::cut(call, &org.settings, org.idps.iter(), PAGE)?;
    Ok(page.reply(call, |idp| to_json(idp)))
}

/// `GET /users/{user}/idps`.
pub fn list_of_user(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let user = org.user(&org.user_in(call, 0)?)?;
    let items: Vec<Value> = user
        .idps
        .iter()
        .filter_map(|id| org.idps.get(id))
        .map(to_json)
        .collect();
    Ok(whole(call, &items))
}

/// `GET /idps/{idp}/users`.
pub fn users(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let idp = find(org, call)?;
    let linked = org.users.iter().filter(|(_, user)| user.idps.contains(idp));
    let page = Page::cut(call, &org.settings, linked, PAGE)?;
    Ok(page.reply(call, |user| json!({ "id": user.id, "externalId": user.core.login(), "profile": user.core.profile })))
}

/// `DELETE /idps/{idp}/users/{user}`: 404 where there is no link.
pub fn unlink(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    find(org, call)?;
    let idp = call.argument(0);
    let user = org.user_in(call, 1)?;
    if !org.user_mut(&user)?.idps.remove(idp) {
        return Err(ApiError::not_found(&user, "IdpUser"));
    }
    let name = org
        .idps
        .get(idp)
        .map(|idp| idp.name.clone())
        .unwrap_or_default();
    let targets = vec![
        org.user_target(&user),
        Target::new("IdentityProvider", idp, &name),
    ];
    org.log(call, "user.account.unlink", targets);
    Ok(Reply::empty(204))
}

fn find<'a>(org: &Org, call: &'a Call) -> Result<&'a str, ApiError> {
    let id = call.argument(0);
    if org.idps.contains_key(id) {
        Ok(id)
    } else {
        Err(ApiError::not_found(id, "IdpInstance"))
    }
}

fn to_json(idp: &Idp) -> Value {
    json!({ "id": idp.id, "type": idp.kind, "name": idp.name, "status": "ACTIVE", "created": iso(idp.created) })
}
