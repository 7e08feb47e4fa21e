//! Group memberships: from the user's own `groups`, and from the groups that a filter finds, compared here.
//!
//! Either source alone can be wrong: `groups` is optional and may be stale, and a filter may be refused, ignored, or
//! answered with nothing. What a group itself says of its members decides, where groups say anything of them: some
//! applications show an empty list, or none, whoever is in it.

use std::collections::BTreeMap;

use futures::stream::{StreamExt as _, TryStreamExt as _, iter};
use serde_json::json;
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use super::hidden;
use crate::account::takes_no_filter;
use crate::app::{App, GROUPS, Refused};
use crate::errors::Meaning;
use crate::listing::{List, list};
use crate::members::{Group, Shown, group_by_id};
use crate::privilege::sounds_privileged;
use crate::user::{NamedGroup, User};

/// How many groups are read at once; the connection's own cap applies besides.
const AT_ONCE: usize = 8;

/// The memberships of a user.
#[derive(Debug)]
pub enum Memberships {
    /// All of them.
    Read(Vec<Entitlement>),
    /// These; no group shows its members, and the user names no groups.
    NotShown(Vec<Entitlement>),
}

/// A group that may have the user as a member, as much of it as is kept.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) id: String,
    name: Option<String>,
    shown: Shown,
}

impl Candidate {
    fn of(group: &Group, user: &str) -> Self {
        Self {
            id: group.id.clone(),
            name: group.document.text("displayName"),
            shown: group.shows(user),
        }
    }

    pub(super) fn membership(&self) -> Entitlement {
        membership(&self.id, self.name.clone(), false)
    }
}

/// The groups that were found.
struct Found {
    groups: Vec<Candidate>,
    /// Found by a filter on members, rather than among all.
    by_filter: bool,
}

/// What a group says of a user when it is asked alone.
enum Alone {
    Is(Entitlement),
    IsNot,
    /// Nothing that tells, with what the user's own list says of it.
    Silent(Candidate, Option<NamedGroup>),
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
pub async fn read(app: &App, user: &User) -> Result<Memberships, Refused> {
    let named = user.groups();
    let names_groups = named.is_some();
    let found = match candidates(app, &user.id, names_groups).await {
        Ok(found) => found,
        // Without an endpoint for groups, the user's own list is all there is.
        Err(refused) if names_groups && has_no_groups(refused.meaning) => {
            let named = named.unwrap_or_default();
            return Ok(Memberships::Read(named.iter().map(of_user).collect()));
        }
        Err(refused) => return Err(refused),
    };
    let (mut memberships, silent) = asked(app, &user.id, &found, named.unwrap_or_default()).await?;
    let shows = app.dialects.shows_members.is_known();
    let mut hidden = Vec::new();
    for (group, named) in silent {
        match named {
            // An empty list is an answer only where groups are seen to show members.
            Some(named) if shows && group.shown == Shown::Nobody && !named.indirect => {}
            Some(named) => {
                memberships.insert(named.id.clone(), of_user(&named));
            }
            // A group without members shows none, and one group that shows any speaks for all.
            None if shows || names_groups => {}
            None => hidden.push(group),
        }
    }
    let looked_into = hidden::look_into(app, &user.id, &hidden, found.by_filter).await?;
    let is_whole = looked_into.is_some();
    for group in looked_into.into_iter().flatten() {
        memberships.insert(group.provider_key.clone(), group);
    }
    let is_member = |group: &Candidate| memberships.contains_key(&group.id);
    if found.by_filter && found.groups.iter().any(is_member) {
        app.dialects.finds_members.learn();
    }
    let memberships = memberships.into_values().collect();
    Ok(match is_whole {
        true => Memberships::Read(memberships),
        false => Memberships::NotShown(memberships),
    })
}

type ByGroup = BTreeMap<String, Entitlement>;
type Silent = Vec<(Candidate, Option<NamedGroup>)>;

/// Takes what the groups said in the list, and asks each that did not tell alone.
async fn asked(
    app: &App,
    user: &str,
    found: &Found,
    named: Vec<NamedGroup>,
) -> Result<(ByGroup, Silent), Refused> {
    let mut memberships = ByGroup::new();
    let mut unclear: Vec<(String, Option<NamedGroup>)> = Vec::new();
    let named = named.into_iter().map(|group| (group.id.clone(), group));
    let named: BTreeMap<String, NamedGroup> = named.collect();
    for group in &found.groups {
        note(app, group.shown);
        match group.shown {
            Shown::Member => {
                memberships.insert(group.id.clone(), group.membership());
            }
            Shown::Others => {}
            _ if !named.contains_key(&group.id) => unclear.push((group.id.clone(), None)),
            _ => {}
        }
    }
    for (id, group) in named {
        if !memberships.contains_key(&id) {
            unclear.push((id, Some(group)));
        }
    }
    let alone: Vec<Alone> = iter(unclear)
        .map(|(id, named)| alone(app, user, id, named))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let mut silent = Silent::new();
    for answer in alone {
        match answer {
            Alone::Is(membership) => {
                memberships.insert(membership.provider_key.clone(), membership);
            }
            Alone::IsNot => {}
            Alone::Silent(group, named) => silent.push((group, named)),
        }
    }
    Ok((memberships, silent))
}

/// The groups that may have the user as a member: those that the filter finds, or all where no filter is taken. A filter
/// on what a server does not know finds nothing as well (RFC 7644 section 3.4.2.2), and so does one at an address that is
/// not there: nothing is believed only where the same filter has found somebody before, or where the user's own list can
/// stand in for a list of all groups that is not given.
async fn candidates(app: &App, user: &str, names_groups: bool) -> Result<Found, Refused> {
    let filter = hidden::by_member(user);
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
    let groups = match list(app, filtered, keep).await {
        Ok(groups) if !groups.is_empty() || app.dialects.finds_members.is_known() => {
            return Ok(Found {
                groups,
                by_filter: true,
            });
        }
        Ok(nothing) => match list(app, everything, keep).await {
            Err(refused) if names_groups && takes_no_filter(refused.meaning) => nothing,
            all => all?,
        },
        Err(refused) if takes_no_filter(refused.meaning) => list(app, everything, keep).await?,
        Err(refused) => return Err(refused),
    };
    Ok(Found {
        groups,
        by_filter: false,
    })
}

/// Asks the group itself.
async fn alone(
    app: &App,
    user: &str,
    id: String,
    named: Option<NamedGroup>,
) -> Result<Alone, Refused> {
    let Some(group) = group_by_id(app, &id, None).await? else {
        return Ok(Alone::IsNot);
    };
    let group = Candidate::of(&group, user);
    note(app, group.shown);
    Ok(match (group.shown, named) {
        (Shown::Member, _) => Alone::Is(group.membership()),
        (Shown::Others, Some(named)) if named.indirect => Alone::Is(of_user(&named)),
        (Shown::Others, _) => Alone::IsNot,
        (Shown::Nobody | Shown::Nothing, named) => Alone::Silent(group, named),
    })
}

fn note(app: &App, shown: Shown) {
    if matches!(shown, Shown::Member | Shown::Others) {
        app.dialects.shows_members.learn();
    }
}

fn has_no_groups(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::Gone | Meaning::NoMethod)
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
