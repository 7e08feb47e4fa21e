//! The inventory of a Keycloak realm: users, clients, who holds which role, and who is in which group.
//!
//! Sessions, consents, credentials and identity links would need a call for each user. What a group or a composite role gives comes
//! with it and is not listed. Service accounts are no users: what they hold is their client's. A provider without an administration
//! API lists nobody.

mod page;
mod place;

use serde::Deserialize;
use serde_json::Value;
use sever_domain::EntitlementKind as Kind;
use sever_domain::entitlement::FamilyResult;
use sever_domain::inventory::ObservedKind;
use sever_provider::{
    CallError, InventoryPage, SeenAccount, SeenEntitlement, Unreadable, parse_records, resumed_at,
};

use crate::admin::{Ask, CLIENTS, Family, REALM, USERS};
use crate::clients::Client;
use crate::issuer::Issuer;
use crate::people::User;
use crate::roles::is_privileged;
use page::{Items, all, items};
use place::{Holder, Place, RealmClient, Roles};

/// What the name of a service account begins with; its client's id follows.
const SERVICE_ACCOUNT: &str = "service-account-";

/// More groups than any realm has: a server that does not look at `first` shows the same ones again for ever.
const GROUPS_MAX: usize = 1_000_000;

/// The page after `cursor`; the first one where that is `None`.
///
/// # Errors
/// What stops the whole inventory: credentials, rate, shutting down, a read that may work later, or a cursor that is none of ours.
pub async fn page(issuer: &Issuer, cursor: Option<&Value>) -> Result<InventoryPage, CallError> {
    if issuer.realm.is_none() {
        return Ok(InventoryPage::unsupported());
    }
    let (page, next) = match resumed_at::<Place>(cursor)? {
        Place::Users { first } => users(issuer, first).await?,
        Place::Clients => clients(issuer).await?,
        Place::Roles(roles) => roles_of(issuer, roles).await?,
        Place::Holders { roles, first } => holders(issuer, roles, first).await?,
        Place::Groups { first } => groups(issuer, first).await?,
        Place::Members { of, outer, first } => members(issuer, of, outer, first).await?,
    };
    let next = next.map(|place| place.cursor());
    Ok(InventoryPage { next, ..page })
}

type Turned = Result<(InventoryPage, Option<Place>), CallError>;

const fn ask<'a>(doing: &'static str, family: Family, path: &'a [&'a str]) -> Ask<'a> {
    Ask {
        doing,
        family,
        path,
        query: &[],
    }
}

async fn users(issuer: &Issuer, first: usize) -> Turned {
    let ask = ask("listing the realm's users", USERS, &["users"]);
    let read = match items(issuer, Kind::Account, ask, first).await? {
        Ok(Items { read, .. }) => read,
        Err(page) => return Ok((page, Some(Place::Clients))),
    };
    if read.is_empty() {
        return Ok((
            InventoryPage::default().ends(Kind::Account),
            Some(Place::Clients),
        ));
    }
    let first = first + read.len();
    let mut page = InventoryPage::default();
    for item in read {
        match User::of(item) {
            Ok(user) => {
                let account = user.into_account();
                page.accounts.push(SeenAccount {
                    kind: ObservedKind::Account,
                    provider_id: account.provider_id,
                    state: account.state,
                    attributes: account.attributes,
                });
            }
            Err(item) => {
                let record = Unreadable::without(Kind::Account, &item, "id");
                page.unreadable.push(record);
            }
        }
    }
    Ok((page, Some(Place::Users { first })))
}

/// All clients at once.
async fn clients(issuer: &Issuer) -> Turned {
    let after = |clients| Place::Roles(Roles::of_realm(clients));
    let ask = ask("listing the realm's clients", CLIENTS, &["clients"]);
    let read = match all(issuer, Kind::Role, ask).await? {
        Ok(read) => read,
        // Whose a service account's roles are cannot be told without them.
        Err(page) => return Ok((page, Some(Place::Groups { first: 0 }))),
    };
    let mut page = InventoryPage::default();
    let mut known = Vec::with_capacity(read.len());
    for item in read {
        let client_id = item["clientId"].as_str().unwrap_or_default().to_owned();
        match Client::of(item) {
            Ok(client) => {
                known.push(RealmClient {
                    id: client.id.clone(),
                    name: client_id,
                });
                page.accounts.push(SeenAccount {
                    kind: ObservedKind::Application,
                    state: client.state(),
                    provider_id: client.id,
                    attributes: Default::default(),
                });
            }
            Err(item) => {
                // A client's record can hold its secret: of it, only this is digested.
                let name = Value::String(item["clientId"].to_string());
                page.unreadable
                    .push(Unreadable::without(Kind::Role, &name, "id"));
            }
        }
    }
    Ok((page, Some(after(known))))
}

#[derive(Deserialize)]
struct Named {
    id: String,
    name: String,
}

/// The roles of the realm, or of the next client.
async fn roles_of(issuer: &Issuer, mut roles: Roles) -> Turned {
    let Some(holder) = roles.turn() else {
        let page = InventoryPage::default().ends(Kind::Role);
        return Ok((page, Some(Place::Groups { first: 0 })));
    };
    let path = match &holder {
        Holder::Realm => vec!["roles"],
        Holder::Client { id, .. } => vec!["clients", id, "roles"],
    };
    let ask = ask("listing roles", REALM, &path);
    let read = match all(issuer, Kind::Role, ask).await? {
        Ok(read) => read,
        Err(page) => return Ok((page, Some(Place::Groups { first: 0 }))),
    };
    let (named, unreadable) = parse_records::<Named>(Kind::Role, read);
    roles.below(named.into_iter().map(|role| (role.id, role.name)));
    let page = InventoryPage {
        unreadable,
        ..Default::default()
    };
    Ok((page, Some(Place::Holders { roles, first: 0 })))
}

/// Who holds the first of the roles.
async fn holders(issuer: &Issuer, mut roles: Roles, first: usize) -> Turned {
    let Some((role_id, role)) = roles.of.first().cloned() else {
        return Ok((InventoryPage::default(), Some(Place::Roles(roles))));
    };
    let (path, key, privileged) = match &roles.at {
        Holder::Realm => (
            vec!["roles", &role, "users"],
            format!("realm:{role_id}"),
            is_privileged(&role, None),
        ),
        Holder::Client { id, name } => (
            vec!["clients", id, "roles", &role, "users"],
            format!("client:{id}:{role_id}"),
            is_privileged(&role, Some(name)),
        ),
    };
    let ask = ask("listing who holds a role", REALM, &path);
    let Items { read, gone } = match items(issuer, Kind::Role, ask, first).await? {
        Ok(items) => items,
        Err(page) => return Ok((page, Some(Place::Groups { first: 0 }))),
    };
    let mut page = InventoryPage::default();
    let count = read.len();
    for user in read {
        match holder(&roles.clients, &user) {
            Some(account_id) => page.entitlements.push(SeenEntitlement {
                account_id,
                kind: Kind::Role,
                provider_key: key.clone(),
                privileged,
            }),
            None => page
                .unreadable
                .push(Unreadable::without(Kind::Role, &user, "id")),
        }
    }
    let first = first + count;
    if count == 0 || gone {
        roles.of.remove(0);
        return Ok((page, Some(Place::Holders { roles, first: 0 })));
    }
    Ok((page, Some(Place::Holders { roles, first })))
}

/// Whose a role is: a user's, or that of the client whose service account the user is.
fn holder(clients: &[RealmClient], user: &Value) -> Option<String> {
    let id = user["id"].as_str()?;
    let of = user["username"]
        .as_str()
        .and_then(|name| name.strip_prefix(SERVICE_ACCOUNT));
    let client = of.and_then(|name| {
        let mut clients = clients.iter();
        clients.find(|client| client.name.eq_ignore_ascii_case(name))
    });
    Some(client.map_or(id, |client| &client.id).to_owned())
}

async fn groups(issuer: &Issuer, first: usize) -> Turned {
    if first > GROUPS_MAX {
        let why = "the list of groups does not end".to_owned();
        let page = InventoryPage::not_read(Kind::Group, FamilyResult::Failed, why);
        return Ok((page, None));
    }
    let ask = ask("listing the realm's groups", REALM, &["groups"]);
    let read = match items(issuer, Kind::Group, ask, first).await? {
        Ok(Items { read, .. }) => read,
        Err(page) => return Ok((page, None)),
    };
    if read.is_empty() {
        return Ok((InventoryPage::default().ends(Kind::Group), None));
    }
    let outer = first + read.len();
    let mut of = Vec::new();
    let mut page = InventoryPage::default();
    for group in &read {
        below(group, &mut of, &mut page);
    }
    Ok((
        page,
        Some(Place::Members {
            of,
            outer,
            first: 0,
        }),
    ))
}

/// A group and those that the answer shows below it; where it only counts them, they are asked for.
fn below(group: &Value, of: &mut Vec<String>, page: &mut InventoryPage) {
    let Some(id) = group["id"].as_str() else {
        page.unreadable
            .push(Unreadable::without(Kind::Group, group, "id"));
        return;
    };
    of.push(id.to_owned());
    let shown = group["subGroups"].as_array().map_or(&[][..], Vec::as_slice);
    for child in shown {
        below(child, of, page);
    }
    let counted = group["subGroupCount"].as_u64().unwrap_or(0);
    if counted > shown.len() as u64 {
        of.push(format!("{CHILDREN}{id}"));
    }
}

/// What marks a group whose children are still to be listed: no id of Keycloak begins so.
const CHILDREN: &str = "children:";

/// The members of the first group, or the groups below it.
async fn members(issuer: &Issuer, mut of: Vec<String>, outer: usize, first: usize) -> Turned {
    let Some(at) = of.first().cloned() else {
        return Ok((
            InventoryPage::default(),
            Some(Place::Groups { first: outer }),
        ));
    };
    let (group, part) = match at.strip_prefix(CHILDREN) {
        Some(group) => (group, "children"),
        None => (at.as_str(), "members"),
    };
    let path = ["groups", group, part];
    let ask = ask("listing a group's members", REALM, &path);
    let Items { read, gone } = match items(issuer, Kind::Group, ask, first).await? {
        Ok(items) => items,
        Err(page) => return Ok((page, None)),
    };
    let mut page = InventoryPage::default();
    let count = read.len();
    for item in &read {
        match (part, item["id"].as_str()) {
            ("children", _) => below(item, &mut of, &mut page),
            (_, Some(user)) => page.entitlements.push(SeenEntitlement {
                account_id: user.to_owned(),
                kind: Kind::Group,
                provider_key: group.to_owned(),
                privileged: false,
            }),
            (_, None) => page
                .unreadable
                .push(Unreadable::without(Kind::Group, item, "id")),
        }
    }
    let first = first + count;
    if count == 0 || gone {
        of.remove(0);
        return Ok((
            page,
            Some(Place::Members {
                of,
                outer,
                first: 0,
            }),
        ));
    }
    Ok((page, Some(Place::Members { of, outer, first })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_service_accounts_role_is_its_clients() {
        let clients = [RealmClient {
            id: "c1".into(),
            name: "bot".into(),
        }];
        let of = |user: Value| holder(&clients, &user);
        assert_eq!(of(json!({"id": "u", "username": "ada"})), Some("u".into()));
        let bot = json!({"id": "u9", "username": "service-account-bot"});
        assert_eq!(of(bot), Some("c1".into()));
        assert_eq!(of(json!({"username": "ada"})), None);
    }

    #[test]
    fn groups_below_groups_are_found_whether_shown_or_counted() {
        let group = json!({"id": "a", "subGroupCount": 1, "subGroups": [
            {"id": "b", "subGroupCount": 2, "subGroups": []},
        ]});
        let (mut of, mut page) = (Vec::new(), InventoryPage::default());
        below(&group, &mut of, &mut page);
        assert_eq!(of, ["a", "b", "children:b"]);
    }
}
