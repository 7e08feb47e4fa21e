//! What is really so, for tests to judge by: no paging, no dialect, no credential.

use serde_json::{Value, json};

use crate::control::{Answer, Refusal};
use crate::exchange::Reply;
use crate::scim::App;

/// `GET state`: counts.
pub fn summary(app: &App) -> Reply {
    let active = app.users.keys().filter(|id| app.can_act(id)).count();
    Reply::json(
        200,
        &json!({
            "users": app.users.len(),
            "active": active,
            "deleted": app.deleted.len(),
            "groups": app.groups.len(),
            "memberships": app.groups.values().map(|group| group.members().count()).sum::<usize>(),
        }),
    )
}

/// `GET state/users`: who there is.
pub fn users(app: &App) -> Reply {
    let users: Vec<Value> = app
        .users
        .values()
        .map(|user| {
            let (id, login) = (user.id(), user.text("userName"));
            json!({ "id": id, "login": login, "active": app.can_act(id) })
        })
        .collect();
    Reply::json(200, &json!({ "users": users }))
}

/// `GET state/users/{user}`. One who was deleted is `{"exists": false}`; `live` is then what still names them.
pub fn user(app: &App, name: &str) -> Answer {
    let id = app.find_user(name).unwrap_or_else(|| name.to_owned());
    let groups: Vec<Value> = app
        .groups_of(&id)
        .map(|group| json!({ "id": group.id(), "name": group.text("displayName") }))
        .collect();
    let Some(user) = app.users.get(&id) else {
        return match app.deleted.contains(&id) {
            true => {
                let live = live(&[("groups", groups.len())]);
                let body = json!({ "id": id, "exists": false, "groups": groups, "live": live });
                Ok(Reply::json(200, &body))
            }
            false => Err(Refusal::not_found(&format!("the user {name:?}"))),
        };
    };
    let live = live(&[
        ("account", usize::from(app.can_act(&id))),
        ("groups", groups.len()),
        ("roles", user.count_of("roles")),
        ("entitlements", user.count_of("entitlements")),
    ]);
    let body = json!({
        "id": id,
        "exists": true,
        "login": user.text("userName"),
        "active": app.can_act(&id),
        "changing": user.pending.is_some(),
        "attributes": user.attributes,
        "groups": groups,
        "live": live,
    });
    Ok(Reply::json(200, &body))
}

/// What still gives access, one word and count each; empty when nothing does.
fn live(counts: &[(&str, usize)]) -> Vec<String> {
    counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{name}:{count}"))
        .collect()
}
