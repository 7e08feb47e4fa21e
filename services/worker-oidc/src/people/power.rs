//! What a group gives to its members: by itself, by the groups above it, and by roles that contain others.
//!
//! A member of a group has what is mapped to every group above it too (Keycloak's Server Administration Guide, groups are
//! hierarchical). A mapping is shown at the group that it was made for, and a role that contains others is one mapping.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::Value;

use crate::admin::{Ask, CLIENTS, Family, USERS};
use crate::errors::Meaning;
use crate::issuer::{Issuer, Refused, inconsistent};
use crate::listing::list;
use crate::roles::{Mappings, Role, is_administration, is_privileged};

const DOING: &str = "reading whether a group carries administrative roles";
/// The realm whose administration is of all realms.
const MASTER: &str = "master";
/// The client whose roles are power over its realm.
const MANAGEMENT: &str = "realm-management";
/// More groups above each other than any organisation has.
const LEVELS_MAX: usize = 64;

/// What membership in a group gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// The group is not there.
    Gone,
    /// Nothing administrative.
    Ordinary,
    /// Power over the realm or over an application.
    Administrative,
    /// Something that cannot be looked into.
    Unclear,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    id: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    parent_id: Option<String>,
}

/// Looks at a group and at every one above it.
///
/// # Errors
/// As any read; class `Retry` where the groups above each other have no end.
pub async fn power_of(issuer: &Issuer, id: &str) -> Result<Power, Refused> {
    let Some(mut group) = read::<Group>(issuer, USERS, &["groups", id]).await? else {
        return Ok(Power::Gone);
    };
    let administration = administration(issuer).await?;
    let mut seen = HashSet::from([group.id.clone()]);
    let mut worst = Power::Ordinary;
    for _ in 0..LEVELS_MAX {
        match own_power(issuer, &group.id, administration.as_deref()).await? {
            Power::Ordinary => {}
            Power::Administrative => return Ok(Power::Administrative),
            Power::Gone | Power::Unclear => worst = Power::Unclear,
        }
        group = match above(issuer, &group).await? {
            Above::Nothing => return Ok(worst),
            Above::Unknown => return Ok(Power::Unclear),
            Above::Group(above) => above,
        };
        if !seen.insert(group.id.clone()) {
            break;
        }
    }
    Err(inconsistent(DOING, "the groups above each other have no end").into())
}

/// What lies above a group.
enum Above {
    Nothing,
    Unknown,
    Group(Group),
}

/// The parent, by its id; before Keycloak told of that, by the path.
async fn above(issuer: &Issuer, group: &Group) -> Result<Above, Refused> {
    let above = match &group.parent_id {
        Some(parent) => read(issuer, USERS, &["groups", parent]).await?,
        None => {
            let mut names: Vec<&str> = group.path.split('/').filter(|it| !it.is_empty()).collect();
            names.pop();
            if names.is_empty() {
                return Ok(Above::Nothing);
            }
            read(
                issuer,
                USERS,
                &[&["group-by-path"], names.as_slice()].concat(),
            )
            .await?
        }
    };
    Ok(above.map_or(Above::Unknown, Above::Group))
}

/// What is mapped to the group itself, and what that contains.
async fn own_power(
    issuer: &Issuer,
    group: &str,
    administration: Option<&[String]>,
) -> Result<Power, Refused> {
    let mapped = ["groups", group, "role-mappings"];
    let Some(direct) = read::<Mappings>(issuer, USERS, &mapped).await? else {
        return Ok(Power::Gone);
    };
    let whole = [mapped.as_slice(), &["realm", "composite"]].concat();
    let whole: Vec<Role> = read(issuer, USERS, &whole).await?.unwrap_or_default();
    let of_realm = direct.realm_mappings.iter().chain(&whole);
    let of_realm = of_realm.map(|role| (role, None));
    let of_clients = direct.client_mappings.iter().flat_map(|(name, client)| {
        let named = move |role| (role, Some(name.as_str()));
        client.mappings.iter().map(named)
    });
    let all: Vec<(&Role, Option<&str>)> = of_realm.chain(of_clients).collect();
    let administers = |(role, client): &(&Role, Option<&str>)| is_privileged(&role.name, *client);
    if all.iter().any(administers) {
        return Ok(Power::Administrative);
    }
    if !all.iter().any(|(role, _)| role.composite) {
        return Ok(Power::Ordinary);
    }
    let Some(administration) = administration else {
        return Ok(Power::Unclear);
    };
    for client in administration {
        let contained = [mapped.as_slice(), &["clients", client, "composite"]].concat();
        let contained: Vec<Role> = read(issuer, USERS, &contained).await?.unwrap_or_default();
        if !contained.is_empty() {
            return Ok(Power::Administrative);
        }
    }
    Ok(Power::Ordinary)
}

/// The internal ids of the clients whose roles are power over a realm; `None` where our client may not look.
async fn administration(issuer: &Issuer) -> Result<Option<Vec<String>>, Refused> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Client {
        id: String,
        client_id: String,
    }
    let clients = match issuer.realm.as_deref() {
        Some(MASTER) => {
            let query = &[("clientId", "-realm"), ("search", "true")];
            list(issuer, clients_where(query)).await
        }
        // With the whole client id Keycloak knows no pages, and shows the one client again and again.
        _ => issuer
            .find::<Vec<Value>>(clients_where(&[("clientId", MANAGEMENT)]), None)
            .await
            .map(Option::unwrap_or_default),
    };
    let clients = match clients {
        Ok(clients) => clients,
        Err(refused) if refused.meaning == Meaning::Forbidden => return Ok(None),
        Err(refused) => return Err(refused),
    };
    let clients = clients
        .into_iter()
        .filter_map(|client| serde_json::from_value::<Client>(client).ok());
    let ids = clients
        .filter(|client| is_administration(&client.client_id))
        .map(|client| client.id);
    Ok(Some(ids.collect()))
}

const fn clients_where<'a>(query: &'a [(&'a str, &'a str)]) -> Ask<'a> {
    Ask {
        doing: DOING,
        family: CLIENTS,
        path: &["clients"],
        query,
    }
}

async fn read<T: for<'de> Deserialize<'de>>(
    issuer: &Issuer,
    family: Family,
    path: &[&str],
) -> Result<Option<T>, Refused> {
    let ask = Ask {
        doing: DOING,
        family,
        path,
        query: &[],
    };
    issuer.find(ask, None).await
}
