//! What changed in a tenant since a mark: Graph's delta queries of users and of members of groups.
//!
//! Entries come in any order, more than once, and again; all that is taken from them is whom they name. What became of those is read
//! from the directory itself. Service principals, roles, grants and Azure are left to the full inventory, and so is who was in a group
//! that was deleted.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sever_domain::OutcomeClass;
use sever_provider::http::Reply;
use sever_provider::{CallError, Changes};

use crate::families::text;
use crate::service::{inconsistent, unusable};
use crate::tenant::{Ask, Tenant};

/// What of a user is watched: what it can do, and whose it is.
const WATCHED: &str = "id,accountEnabled,userPrincipalName,mail,givenName,surname,employeeId";

/// Where changes are read on from: addresses of Graph, which name nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    users: String,
    groups: String,
    /// Which of them is read next. A reading begins with the users, and ends behind the groups.
    #[serde(default)]
    at: List,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum List {
    #[default]
    Users,
    Groups,
}

/// A mark that stands for now; `None` where the tenant does not show what changes to this credential.
///
/// # Errors
/// What keeps every read from being made now: credentials, rate, shutting down, or a failure that may pass.
pub async fn mark(tenant: &Tenant) -> Result<Option<Value>, CallError> {
    let users = latest(tenant, List::Users).await?;
    let groups = latest(tenant, List::Groups).await?;
    let mark = users.zip(groups).map(|(users, groups)| Mark {
        users,
        groups,
        at: List::Users,
    });
    Ok(mark.and_then(|mark| serde_json::to_value(mark).ok()))
}

/// A page of what changed since `mark`; [`Changes::Lost`] where Graph wants everything read anew.
///
/// # Errors
/// As any read; class `NeedsPerson` for a mark that is none of ours, `Retry` for an answer that is no page.
pub async fn since(tenant: &Tenant, mark: &Value) -> Result<Changes, CallError> {
    let mut mark = Mark::deserialize(mark).map_err(|_| {
        let what = "the stored mark is not one of this version".to_owned();
        unusable("reading what changed", what)
    })?;
    let ask = mark.at.ask();
    let at = match mark.at {
        List::Users => &mut mark.users,
        List::Groups => &mut mark.groups,
    };
    let body = match tenant.follow(&ask, at).await {
        Ok(reply) => json_of(&ask, &reply)?,
        // The token is too old.
        Err(refused) if refused.error.status == Some(410) => return Ok(Changes::Lost),
        Err(refused) => return Err(refused.error),
    };
    let Some(items) = body["value"].as_array() else {
        let what = "the answer is not a list of changes";
        return Err(inconsistent(ask.doing, what));
    };
    let link = |name: &str| body[name].as_str().map(str::to_owned);
    let accounts = mark.at.accounts(items).into_iter().collect();
    let more = match (link("@odata.nextLink"), link("@odata.deltaLink")) {
        (Some(next), _) => {
            *at = next;
            true
        }
        (None, Some(delta)) => {
            *at = delta;
            let more = mark.at == List::Users;
            mark.at = mark.at.other();
            more
        }
        (None, None) => return Err(inconsistent(ask.doing, "the changes have no end")),
    };
    let mark = serde_json::to_value(mark).unwrap_or_default();
    Ok(Changes::Named {
        accounts,
        mark,
        more,
    })
}

impl List {
    fn ask(self) -> Ask {
        match self {
            Self::Users => {
                let doing = "reading which users changed";
                Ask::new(doing, "users", &["users", "delta"]).with("$select", WATCHED)
            }
            Self::Groups => {
                let doing = "reading whose memberships changed";
                Ask::new(doing, "groups", &["groups", "delta"]).with("$select", "id,members")
            }
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::Users => Self::Groups,
            Self::Groups => Self::Users,
        }
    }

    /// The users that entries are about: changed themselves, or let into or out of a group.
    fn accounts(self, items: &[Value]) -> BTreeSet<String> {
        let id = |item: &Value| Some(text(item, "id").to_owned()).filter(|id| !id.is_empty());
        match self {
            Self::Users => items.iter().filter_map(id).collect(),
            Self::Groups => {
                let members = items
                    .iter()
                    .filter_map(|group| group["members@delta"].as_array());
                let is_user =
                    |member: &&Value| text(member, "@odata.type") == "#microsoft.graph.user";
                members.flatten().filter(is_user).filter_map(id).collect()
            }
        }
    }
}

async fn latest(tenant: &Tenant, list: List) -> Result<Option<String>, CallError> {
    let ask = list.ask().with("$deltatoken", "latest");
    match tenant.get(&ask, None).await {
        Ok(reply) => {
            let body = json_of(&ask, &reply)?;
            Ok(body["@odata.deltaLink"].as_str().map(str::to_owned))
        }
        Err(refused) => match refused.error.class {
            OutcomeClass::Retry
            | OutcomeClass::RetryAt
            | OutcomeClass::Wait
            | OutcomeClass::Credentials
            | OutcomeClass::ShuttingDown => Err(refused.error),
            // Full inventories are all there is then.
            OutcomeClass::Permanent | OutcomeClass::NeedsPerson | OutcomeClass::Done => Ok(None),
        },
    }
}

fn json_of(ask: &Ask, reply: &Reply) -> Result<Value, CallError> {
    reply
        .json()
        .map_err(|_| inconsistent(ask.doing, "the answer is not JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whoever_is_named_counts_once_and_groups_name_their_users_only() {
        let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        let users = [
            json!({"id": "u1"}),
            json!({"id": "u2", "@removed": {"reason": "changed"}}),
            json!({"id": "u1"}),
            json!({}),
        ];
        let named: BTreeSet<String> = set(&["u1", "u2"]);
        assert_eq!(List::Users.accounts(&users), named);
        let member = |kind: &str, id: &str| json!({"@odata.type": format!("#microsoft.graph.{kind}"), "id": id, "@removed": {"reason": "deleted"}});
        let groups = [
            json!({"id": "g", "members@delta": [member("user", "u3"), member("servicePrincipal", "sp"), {"id": "untold"}]}),
            json!({"id": "h", "members@delta": [member("user", "u3")]}),
            json!({"id": "gone", "@removed": {"reason": "deleted"}}),
        ];
        let named: BTreeSet<String> = set(&["u3"]);
        assert_eq!(List::Groups.accounts(&groups), named);
    }
}
