//! Group memberships: from the user's own `groups`, and from the groups that a filter finds, compared here.
//!
//! Either source alone can be wrong: `groups` is optional and may be stale, and a filter may be refused, ignored, or
//! answered with nothing. What a group itself says of its members decides.

use std::collections::BTreeMap;

use futures::stream::{StreamExt as _, TryStreamExt as _, iter};
use serde_json::{Value, json};
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use crate::account::takes_no_filter;
use crate::app::{App, GROUPS, Refused};
use crate::errors::Meaning;
use crate::listing::{List, list};
use crate::members::{Group, group_by_id};
use crate::privilege::sounds_privileged;
use crate::user::{NamedGroup, User};

/// How many groups are read at once; the connection's own cap applies besides.
const AT_ONCE: usize = 8;

/// A group that may have the user as a member, as much of it as is kept.
struct Candidate {
    id: String,
    name: Option<String>,
    /// Whether it has; none where it shows no members.
    has: Option<bool>,
}

impl Candidate {
    fn of(group: &Group, user: &str) -> Self {
        Self {
            id: group.id.clone(),
            name: group.document.text("displayName"),
            has: group.has(user),
        }
    }
}

/// Whether another group gives the membership, with which it goes.
#[must_use]
pub fn is_indirect(entitlement: &Entitlement) -> bool {
    entitlement.facts["indirect"] == json!(true)
}

/// Reads the memberships.
///
/// # Errors
/// As any list; `Gone` or `NoMethod` where the application has no groups and the user names none.
pub async fn read(app: &App, user: &User) -> Result<Vec<Entitlement>, Refused> {
    let named = user.groups();
    let (found, by_filter) = match candidates(app, &user.id, named.is_some()).await {
        Ok(found) => found,
        // Without an endpoint for groups, the user's own list is all there is.
        Err(refused) if named.is_some() && has_no_groups(refused.meaning) => {
            return Ok(named.unwrap_or_default().iter().map(of_user).collect());
        }
        Err(refused) => return Err(refused),
    };
    let mut memberships: BTreeMap<String, Entitlement> = BTreeMap::new();
    let mut unclear: Vec<(String, Option<NamedGroup>)> = Vec::new();
    let named: BTreeMap<String, NamedGroup> = named
        .unwrap_or_default()
        .into_iter()
        .map(|group| (group.id.clone(), group))
        .collect();
    for group in &found {
        match group.has {
            Some(true) => {
                memberships.insert(group.id.clone(), of_group(group));
            }
            Some(false) => {}
            None if !named.contains_key(&group.id) => unclear.push((group.id.clone(), None)),
            None => {}
        }
    }
    for (id, group) in named {
        if !memberships.contains_key(&id) {
            unclear.push((id, Some(group)));
        }
    }
    let cleared: Vec<Option<Entitlement>> = iter(unclear)
        .map(|(id, named)| by_itself(app, &user.id, id, named))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    for membership in cleared.into_iter().flatten() {
        memberships.insert(membership.provider_key.clone(), membership);
    }
    if by_filter
        && found
            .iter()
            .any(|group| memberships.contains_key(&group.id))
    {
        app.dialects.finds_members.learn();
    }
    Ok(memberships.into_values().collect())
}

/// The groups that may have the user as a member: those that the filter finds, or all where no filter is taken. A filter
/// on what a server does not know finds nothing as well (RFC 7644 section 3.4.2.2), and so does one at an address that is
/// not there: nothing is believed only where the same filter has found somebody before, or where the user's own list can
/// stand in for a list of all groups that is not given. Says too whether the filter found them.
async fn candidates(
    app: &App,
    user: &str,
    names_groups: bool,
) -> Result<(Vec<Candidate>, bool), Refused> {
    let filter = format!("members.value eq {}", Value::String(user.to_owned()));
    let filtered = List {
        doing: "reading the account's groups",
        endpoint: GROUPS,
        collection: "Groups",
        filter: Some(&filter),
    };
    let everything = List {
        filter: None,
        ..filtered
    };
    let keep = |document| Some(Candidate::of(&Group::of(document, None)?, user));
    let found = match list(app, filtered, keep).await {
        Ok(found) if !found.is_empty() || app.dialects.finds_members.is_known() => {
            return Ok((found, true));
        }
        Ok(nothing) => match list(app, everything, keep).await {
            Err(refused) if names_groups && takes_no_filter(refused.meaning) => nothing,
            all => all?,
        },
        Err(refused) if takes_no_filter(refused.meaning) => list(app, everything, keep).await?,
        Err(refused) => return Err(refused),
    };
    Ok((found, false))
}

/// Asks the group itself. One that shows no members is believed to the user's own list.
async fn by_itself(
    app: &App,
    user: &str,
    id: String,
    named: Option<NamedGroup>,
) -> Result<Option<Entitlement>, Refused> {
    let Some(group) = group_by_id(app, &id, None).await? else {
        return Ok(None);
    };
    Ok(match (group.has(user), named) {
        (Some(true), _) => Some(of_group(&Candidate::of(&group, user))),
        (Some(false), Some(named)) if named.indirect => Some(of_user(&named)),
        (None, Some(named)) => Some(of_user(&named)),
        (_, _) => None,
    })
}

fn has_no_groups(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::Gone | Meaning::NoMethod)
}

fn of_group(group: &Candidate) -> Entitlement {
    membership(&group.id, group.name.clone(), false)
}

fn of_user(named: &NamedGroup) -> Entitlement {
    membership(&named.id, named.display.clone(), named.indirect)
}

fn membership(id: &str, name: Option<String>, indirect: bool) -> Entitlement {
    Entitlement {
        kind: EntitlementKind::Group,
        provider_key: id.to_owned(),
        privileged: sounds_privileged(&[name.as_deref().unwrap_or("")]),
        facts: json!({ "name": name, "indirect": indirect }),
    }
}
