//! Where an inventory stands, as it is stored between pages.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A client of the realm: its internal id, and its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RealmClient {
    pub(super) id: String,
    pub(super) name: String,
}

/// What the roles at hand belong to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Holder {
    Realm,
    Client { id: String, name: String },
}

/// Whose roles are read, and which are left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Roles {
    pub(super) at: Holder,
    /// Whose roles were listed: 0 for none, 1 for the realm's, one more for each client.
    listed: usize,
    /// Id and name of the roles whose holders are still to be read.
    pub(super) of: Vec<(String, String)>,
    pub(super) clients: Vec<RealmClient>,
}

impl Roles {
    pub(super) const fn of_realm(clients: Vec<RealmClient>) -> Self {
        Self {
            at: Holder::Realm,
            listed: 0,
            of: Vec::new(),
            clients,
        }
    }

    /// Goes on to the realm or the next client; `None` after the last one.
    pub(super) fn turn(&mut self) -> Option<Holder> {
        let next = match self.listed {
            0 => Holder::Realm,
            listed => {
                let client = self.clients.get(listed - 1)?;
                Holder::Client {
                    id: client.id.clone(),
                    name: client.name.clone(),
                }
            }
        };
        self.listed += 1;
        self.at = next.clone();
        Some(next)
    }

    /// Sets the roles whose holders are read next.
    pub(super) fn below(&mut self, roles: impl Iterator<Item = (String, String)>) {
        self.of = roles.collect();
    }
}

/// The list that is being read; `first` is the position of its next page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "list", rename_all = "snake_case")]
pub(super) enum Place {
    /// Users.
    Users { first: usize },
    /// Clients.
    Clients,
    /// Roles of the realm or of a client.
    Roles(Roles),
    /// Who holds a role.
    Holders { roles: Roles, first: usize },
    /// Groups.
    Groups { first: usize },
    /// Who is in a group, and which groups are below one.
    Members {
        of: Vec<String>,
        outer: usize,
        first: usize,
    },
}

/// The beginning.
impl Default for Place {
    fn default() -> Self {
        Self::Users { first: 0 }
    }
}

impl Place {
    pub(super) fn cursor(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use sever_provider::resumed_at;

    use super::*;

    #[test]
    fn the_realms_roles_come_first_and_then_each_clients() {
        let client = RealmClient {
            id: "c".into(),
            name: "web".into(),
        };
        let mut roles = Roles::of_realm(vec![client]);
        assert_eq!(roles.turn(), Some(Holder::Realm));
        let place = Place::Holders { roles, first: 3 };
        let Place::Holders { mut roles, .. } = resumed_at::<Place>(Some(&place.cursor())).unwrap()
        else {
            unreachable!("a place is found again");
        };
        assert!(matches!(roles.turn(), Some(Holder::Client { .. })));
        assert_eq!(roles.turn(), None);
    }
}
