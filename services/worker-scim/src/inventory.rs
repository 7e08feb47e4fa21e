//! The inventory of an application: users with their roles and entitlements, then groups with their members.
//!
//! A list that ends before the total that it names, or whose pages come again, has failed. Members count where a group shows them, in
//! the list or by itself; where no group shows any, memberships are unknown and not empty.

mod page;
mod place;

use serde_json::Value;
use sever_domain::EntitlementKind as Kind;
use sever_domain::entitlement::FamilyResult;
use sever_domain::inventory::ObservedKind;
use sever_provider::{
    CallError, FamilyEnd, InventoryPage, Nested, SeenAccount, SeenEntitlement, Unreadable,
    resumed_at,
};

use crate::app::{App, GROUPS, USERS};
use crate::document::{Document, member, member_id, text_of};
use crate::errors::Meaning;
use crate::members::{Group, group_by_id};
use crate::user::User;
use crate::values;
use page::{Read, Step, read, refused};
use place::{List, Members, Place, Told};

/// The page after `cursor`; the first one where that is `None`.
///
/// # Errors
/// What stops the whole inventory: credentials, rate, shutting down, a read that may work later, or a cursor that is none of ours.
pub async fn page(app: &App, cursor: Option<&Value>) -> Result<InventoryPage, CallError> {
    let (page, next) = match resumed_at::<Place>(cursor)? {
        Place::Users { list } => users(app, list).await?,
        Place::Groups { list, told } => groups(app, list, told).await?,
        Place::Members { nested, list, told } => members(app, nested, list, told).await?,
    };
    let next = next.map(|place| place.cursor());
    Ok(InventoryPage { next, ..page })
}

type Turned = Result<(InventoryPage, Option<Place>), CallError>;

async fn users(app: &App, list: List) -> Turned {
    let after = Place::Groups {
        list: List::default(),
        told: Told::default(),
    };
    let Read { items, step } =
        match read(app, "listing the application's users", USERS, "Users", list).await {
            Ok(read) => read,
            Err(error) => return Ok((refused(Kind::Account, error)?, Some(after))),
        };
    let mut page = InventoryPage::default();
    for item in items {
        let record = item.to_string();
        match Document::of(item).and_then(|document| User::of(document, None)) {
            Some(user) => take_user(app, &mut page, &user),
            None => page.unreadable.push(Unreadable {
                family: Kind::Account,
                record,
                reason: "it is no user with an id".to_owned(),
            }),
        }
    }
    Ok(match step {
        Step::More(list) => (page, Some(Place::Users { list })),
        Step::Whole(total) => {
            page.ended.push(FamilyEnd {
                expected: total,
                ..FamilyEnd::complete(Kind::Account)
            });
            (page.ends(Kind::Role).ends(Kind::Licence), Some(after))
        }
        Step::Broken(why) => {
            page.ended.extend(failed(Kind::Account, why).ended);
            (page, None)
        }
    })
}

fn take_user(app: &App, page: &mut InventoryPage, user: &User) {
    for kind in [Kind::Role, Kind::Licence] {
        for held in values::read(user, kind) {
            page.entitlements.push(SeenEntitlement {
                account_id: user.id.clone(),
                kind: held.kind,
                provider_key: held.provider_key,
                privileged: held.privileged,
            });
        }
    }
    page.accounts.push(SeenAccount {
        kind: ObservedKind::Account,
        provider_id: user.id.clone(),
        state: user.state(app),
        attributes: user.attributes(),
    });
}

async fn groups(app: &App, list: List, mut told: Told) -> Turned {
    let Read { items, step } = match read(
        app,
        "listing the application's groups",
        GROUPS,
        "Groups",
        list,
    )
    .await
    {
        Ok(read) => read,
        Err(error) => return Ok((refused(Kind::Group, error)?, None)),
    };
    let mut page = InventoryPage::default();
    let mut silent = Vec::new();
    for item in items {
        let record = item.to_string();
        let Some(group) = Document::of(item).and_then(|document| Group::of(document, None)) else {
            page.unreadable.push(Unreadable {
                family: Kind::Group,
                record,
                reason: "it is no group with an id".to_owned(),
            });
            continue;
        };
        let members = take_members(&mut page, &group);
        told.note(members);
        if members == Members::Untold {
            silent.push(group.id);
        }
    }
    Ok(match step {
        Step::Broken(why) => {
            page.ended.extend(failed(Kind::Group, why).ended);
            (page, None)
        }
        // The groups that show no members in a list are asked one by one.
        Step::More(list) if silent.is_empty() => (page, Some(Place::Groups { list, told })),
        Step::Whole(_) if silent.is_empty() => (all_told(page, told), None),
        step => {
            let list = match step {
                Step::More(list) => Some(list),
                _ => None,
            };
            let nested = Nested::below(silent, None);
            (page, Some(Place::Members { nested, list, told }))
        }
    })
}

/// The end of the groups.
fn all_told(page: InventoryPage, told: Told) -> InventoryPage {
    if told.is_whole() {
        return page.ends(Kind::Group);
    }
    let why = "no group shows its members".to_owned();
    let unread = InventoryPage::not_read(Kind::Group, FamilyResult::Unsupported, why);
    InventoryPage {
        ended: [page.ended, unread.ended].concat(),
        ..page
    }
}

/// The first of the groups that showed no members in the list, by itself. An empty one shows none either, so that a single group that
/// does speaks for all.
async fn members(app: &App, mut nested: Nested, list: Option<List>, mut told: Told) -> Turned {
    let mut page = InventoryPage::default();
    let Some(id) = nested.first().map(str::to_owned) else {
        return Ok(match list {
            Some(list) => (page, Some(Place::Groups { list, told })),
            None => (all_told(page, told), None),
        });
    };
    match group_by_id(app, &id, None).await {
        Ok(Some(group)) => told.note(take_members(&mut page, &group)),
        Ok(None) => {}
        Err(error) if error.meaning == Meaning::Gone => {}
        Err(error) => return Ok((refused(Kind::Group, error)?, None)),
    }
    nested.turn(None);
    Ok((page, Some(Place::Members { nested, list, told })))
}

/// Takes a group's members in; says what it told of them. Groups in groups are left out: what they give is shown at no account.
fn take_members(page: &mut InventoryPage, group: &Group) -> Members {
    let Some(members) = group.document.items("members") else {
        return Members::Untold;
    };
    if members.is_empty() {
        return Members::Nobody;
    }
    let privileged = group.sounds_privileged();
    for item in members {
        if is_group(item) {
            continue;
        }
        match member_id(item) {
            Some(account_id) => page.entitlements.push(SeenEntitlement {
                account_id,
                kind: Kind::Group,
                provider_key: group.id.clone(),
                privileged,
            }),
            None => page
                .unreadable
                .push(Unreadable::without(Kind::Group, item, "id")),
        }
    }
    Members::Some
}

/// Whether a member is a group itself (RFC 7643 section 4.2: `type`, or the address that it refers to).
fn is_group(item: &Value) -> bool {
    let Value::Object(object) = item else {
        return false;
    };
    let text = |name| member(object, name).and_then(text_of).unwrap_or_default();
    text("type").eq_ignore_ascii_case("group") || text("$ref").to_lowercase().contains("/groups/")
}

fn failed(family: Kind, why: &str) -> InventoryPage {
    InventoryPage::not_read(family, FamilyResult::Failed, why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn groups_in_groups_are_no_members() {
        for (item, expected) in [
            (json!({"value": "g", "type": "Group"}), true),
            (
                json!({"value": "g", "$ref": "https://x.test/v2/Groups/g"}),
                true,
            ),
            (json!({"value": "u", "type": "User"}), false),
            (json!("u"), false),
        ] {
            assert_eq!(is_group(&item), expected, "{item}");
        }
    }
}
