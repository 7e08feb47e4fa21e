//! Groups: lists, one group, and the apps it grants.

use serde_json::{Value, json};

use crate::clock::iso;
use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::{ApiError, Code};
use crate::okta::filter::{Expression, Operator};
use crate::okta::page::Page;
use crate::okta::state::{Group, Org};

/// Default and largest page of the groups.
const PAGE: (usize, usize) = (10_000, 10_000);
/// Default and largest page of a group's apps.
const PAGE_OF_APPS: (usize, usize) = (20, 200);

/// `GET /groups` with `search`, `filter` or `q`.
pub fn list(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    if call.parameter("search").is_some() && call.parameter("filter").is_some() {
        return Err(Code::SearchAndFilter.into());
    }
    let expression = call
        .parameter("search")
        .or_else(|| call.parameter("filter"))
        .map(Expression::parse)
        .transpose()?;
    if let Some(expression) = &expression {
        expression.check(&can_ask)?;
    }
    let q = call.parameter("q").map(str::to_lowercase);
    let everything = org.settings.ignore_filter;
    let wanted = |group: &Group| {
        everything
            || (expression
                .as_ref()
                .is_none_or(|expression| expression.holds(&|name| values(group, name)))
                && q.as_ref()
                    .is_none_or(|q| group.name.to_lowercase().starts_with(q)))
    };
    let groups = org.groups.iter().filter(|(_, group)| wanted(group));
    let page = Page::cut(call, &org.settings, groups, PAGE)?;
    let stats = call.parameter("expand") == Some("stats");
    Ok(page.reply(call, |group| {
        with_stats(org, to_json(call, group), group, stats)
    }))
}

/// `GET /groups/{group}`.
pub fn get(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    Ok(Reply::json(
        200,
        &to_json(call, org.group(call.argument(0))?),
    ))
}

/// `GET /groups/{group}/apps`.
pub fn apps(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = &org.group(call.argument(0))?.id;
    let apps = org.apps.iter().filter(|(_, app)| app.groups.contains(id));
    let page = Page::cut(call, &org.settings, apps, PAGE_OF_APPS)?;
    Ok(page.reply(call, |app| super::apps::to_json(call, app)))
}

/// The group as the API writes it.
pub fn to_json(call: &Call, group: &Group) -> Value {
    json!({
        "id": group.id,
        "created": iso(group.created),
        "lastUpdated": iso(group.last_updated),
        "lastMembershipUpdated": iso(group.last_membership_updated),
        "objectClass": ["okta:user_group"],
        "type": group.kind.as_str(),
        "profile": { "name": group.name, "description": group.description },
        "_links": { "users": { "href": call.url(&format!("/api/v1/groups/{}/users", group.id)) } },
    })
}

fn with_stats(org: &Org, mut value: Value, group: &Group, stats: bool) -> Value {
    if stats {
        let users = org.members_of(&group.id).count();
        let apps = org
            .apps
            .values()
            .filter(|app| app.groups.contains(&group.id))
            .count();
        value["_embedded"] = json!({ "stats": { "usersCount": users, "appsCount": apps } });
    }
    value
}

fn can_ask(attribute: &str, operator: Operator) -> bool {
    match attribute {
        "id" | "type" => operator == Operator::Eq,
        "profile.name" => matches!(operator, Operator::Eq | Operator::Sw | Operator::Co),
        "created" | "lastUpdated" | "lastMembershipUpdated" => !matches!(
            operator,
            Operator::Sw | Operator::Co | Operator::Pr | Operator::Ne
        ),
        _ => false,
    }
}

fn values(group: &Group, attribute: &str) -> Vec<String> {
    vec![match attribute {
        "id" => group.id.clone(),
        "type" => group.kind.as_str().to_owned(),
        "profile.name" => group.name.clone(),
        "created" => iso(group.created),
        "lastUpdated" => iso(group.last_updated),
        "lastMembershipUpdated" => iso(group.last_membership_updated),
        _ => return Vec::new(),
    }]
}
