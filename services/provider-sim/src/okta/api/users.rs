//! `/users`: one user, and the lists with their three ways of asking.

use serde_json::{Value, json};

use crate::clock::iso;
use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::{ApiError, Code};
use crate::okta::filter::{Expression, Operator};
use crate::okta::page::Page;
use crate::okta::state::{Core, Org, Status, User};

/// Default and largest page of the list.
const PAGE: (usize, usize) = (200, 200);
/// `q` is for type-ahead: ten results unless asked otherwise, and no further page.
const PAGE_OF_Q: usize = 10;

/// `GET /users/{user}`; `me` is the owner of the token that calls. Each read brings a deactivation that is under way
/// one read closer to its end.
pub fn get(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = match call.argument(0) {
        "me" => org.user(&call.principal.actor_id)?.id.clone(),
        _ => org.user_in(call, 0)?,
    };
    org.poll_transition(&id, call.now_ms);
    Ok(Reply::json(200, &to_json(call, org.user(&id)?)))
}

/// `GET /users` with `search`, `filter`, `q` or nothing. Without `search` and `filter`, deprovisioned users are left out.
pub fn list(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    match (call.parameter("search"), call.parameter("filter")) {
        (Some(_), Some(_)) => Err(Code::SearchAndFilter.into()),
        (Some(search), None) => {
            let expression = Expression::parse(search)?;
            let reply = matching(org, call, &expression, org.users_as_searched(call.now_ms));
            org.look_by_search(call.now_ms);
            reply
        }
        (None, Some(filter)) => {
            let expression = Expression::parse(filter)?;
            expression.check(&can_filter)?;
            matching(org, call, &expression, org.users.values().collect())
        }
        (None, None) => match call.parameter("q") {
            Some(q) => typed_ahead(org, call, &q.to_lowercase()),
            None => {
                let users = org
                    .users
                    .values()
                    .filter(|user| user.status() != Status::Deprovisioned);
                let page = Page::cut(
                    call,
                    &org.settings,
                    users.map(|user| (&user.id, user)),
                    PAGE,
                )?;
                Ok(page.reply(call, |user| to_json(call, user)))
            }
        },
    }
}

/// The user as the API writes it.
pub fn to_json(call: &Call, user: &User) -> Value {
    let core = &user.core;
    let mut value = json!({
        "id": user.id,
        "status": core.status.as_str(),
        "created": iso(core.created),
        "activated": core.activated.map(iso),
        "statusChanged": iso(core.status_changed),
        "lastLogin": core.last_login.map(iso),
        "lastUpdated": iso(core.last_updated),
        "passwordChanged": core.password_changed.map(iso),
        "type": { "id": "oty1000000000000main" },
        "profile": core.profile,
        "credentials": { "provider": { "type": core.provider_type, "name": core.provider_name } },
        "_links": { "self": { "href": call.url(&format!("/api/v1/users/{}", user.id)) } },
    });
    if user.transition.is_some() {
        value["transitioningToStatus"] = json!("DEPROVISIONED");
    }
    value
}

fn matching(
    org: &Org,
    call: &Call,
    expression: &Expression,
    users: Vec<&User>,
) -> Result<Reply, ApiError> {
    let everybody = org.settings.ignore_filter;
    let found = users
        .into_iter()
        .filter(|user| everybody || expression.holds(&|name| values(user, name)));
    let page = Page::cut(
        call,
        &org.settings,
        found.map(|user| (&user.id, user)),
        PAGE,
    )?;
    Ok(page.reply(call, |user| to_json(call, user)))
}

fn typed_ahead(org: &Org, call: &Call, q: &str) -> Result<Reply, ApiError> {
    let starts = |core: &Core, name: &str| core.profile_text(name).to_lowercase().starts_with(q);
    let fits = |core: &Core| {
        ["firstName", "lastName", "email"]
            .iter()
            .any(|name| starts(core, name))
    };
    let users = org
        .users
        .values()
        .filter(|user| user.status() != Status::Deprovisioned && fits(&user.core));
    let mut page = Page::cut(
        call,
        &org.settings,
        users.map(|user| (&user.id, user)),
        (PAGE_OF_Q, PAGE.1),
    )?;
    page.next = None;
    Ok(page.reply(call, |user| to_json(call, user)))
}

/// The attributes and operators that `filter` supports; `search` takes any.
fn can_filter(attribute: &str, operator: Operator) -> bool {
    match attribute {
        "lastUpdated" => matches!(
            operator,
            Operator::Eq | Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le
        ),
        "status" | "id" | "profile.login" | "profile.email" | "profile.firstName"
        | "profile.lastName" => operator == Operator::Eq,
        _ => false,
    }
}

fn values(user: &User, attribute: &str) -> Vec<String> {
    let core = &user.core;
    let value = match attribute {
        "id" => Some(user.id.clone()),
        "status" => Some(core.status.as_str().to_owned()),
        "created" => Some(iso(core.created)),
        "activated" => core.activated.map(iso),
        "statusChanged" => Some(iso(core.status_changed)),
        "lastUpdated" => Some(iso(core.last_updated)),
        _ => attribute
            .strip_prefix("profile.")
            .and_then(|name| core.profile.get(name))
            .map(|value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            }),
    };
    value.into_iter().collect()
}
