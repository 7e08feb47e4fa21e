//! Application assignments: `GET /apps?filter=user.id eq "…"&expand=user/…`, one call for all.
//!
//! A server that ignores the filter answers with every application; the user embedded in each item, or
//! else the assignment itself, says which are the account's.

use futures::stream::{StreamExt as _, TryStreamExt as _, iter};
use serde::Deserialize;
use serde_json::json;
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use crate::errors::Meaning;
use crate::org::{Ask, Org, Refused, endpoint, inconsistent, unusable};
use crate::paging::{Listed, list};

/// How many assignments are confirmed at once; the connection's own cap applies besides.
const AT_ONCE: usize = 8;
/// The most applications that are confirmed one by one; past that the list is refused.
const CONFIRMED_MAX: usize = 100;

#[derive(Debug, Deserialize)]
struct App {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default, rename = "_embedded")]
    embedded: Embedded,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Embedded {
    user: Option<AppUser>,
}

#[derive(Debug, Deserialize)]
struct AppUser {
    id: String,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    status: Option<String>,
}

impl Listed for App {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Whether a group gives the assignment, so that it ends with the membership only.
#[must_use]
pub fn scope_is_group(entitlement: &Entitlement) -> bool {
    entitlement.facts["scope"] == "GROUP"
}

/// Reads the assignments.
///
/// # Errors
/// As any list; class `NeedsPerson` where the list holds more unconfirmed applications than are looked at
/// one by one.
pub async fn read(org: &Org, user_id: &str) -> Result<Vec<Entitlement>, Refused> {
    let (filter, expand) = (
        format!("user.id eq \"{user_id}\""),
        format!("user/{user_id}"),
    );
    let ask = Ask {
        doing: "reading the account's applications",
        endpoint: endpoint::APPS,
        path: &["apps"],
        query: &[("filter", &filter), ("expand", &expand), ("limit", "200")],
    };
    let apps: Vec<App> = list(org, ask).await?;
    let unconfirmed = apps.iter().filter(|app| embedded(app, user_id).is_none());
    if unconfirmed.count() > CONFIRMED_MAX {
        let what = "the provider ignored the filter and answered with too many applications";
        return Err(unusable(ask.doing, what.to_owned()).into());
    }
    let assigned: Vec<Option<Entitlement>> = iter(apps)
        .map(|app| confirmed(org, user_id, app))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(assigned.into_iter().flatten().collect())
}

fn embedded<'a>(app: &'a App, user_id: &str) -> Option<&'a AppUser> {
    app.embedded.user.as_ref().filter(|user| user.id == user_id)
}

/// The application as the account's, if it is: by the embedded user, else by a read of the assignment.
async fn confirmed(org: &Org, user_id: &str, mut app: App) -> Result<Option<Entitlement>, Refused> {
    let own = app.embedded.user.take().filter(|user| user.id == user_id);
    if let Some(user) = own {
        return Ok(Some(entitlement(app, &user)));
    }
    let ask = Ask {
        doing: "confirming an application assignment",
        endpoint: endpoint::APP_USERS,
        path: &["apps", &app.id, "users", user_id],
        query: &[],
    };
    let user: AppUser = match org.get(ask, None).await {
        Ok(reply) => reply
            .json()
            .map_err(|_| inconsistent(ask.doing, "the answer is not an assignment"))?,
        Err(Refused {
            meaning: Meaning::Gone,
            ..
        }) => return Ok(None),
        Err(refused) => return Err(refused),
    };
    if user.id != user_id {
        let what = "the provider answered with another user's assignment".to_owned();
        return Err(unusable(ask.doing, what).into());
    }
    Ok(Some(entitlement(app, &user)))
}

fn entitlement(app: App, user: &AppUser) -> Entitlement {
    Entitlement {
        kind: EntitlementKind::AppAssignment,
        provider_key: app.id,
        privileged: false,
        facts: json!({
            "name": app.name,
            "label": app.label,
            "app_status": app.status,
            "scope": user.scope,
            "status": user.status,
        }),
    }
}
