//! The rows of a tenant: objects and the relations between them, with the lag of replicas and the log of changes.
//!
//! A row has an owner and an id. An object's owner is empty. A relation's owner is the principal that it gives something
//! to; its id is the object at the other end (members, owners, devices) or its own.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::lag::{Lag, Replica, Stale};
use super::record::Record;

/// The tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Users.
    Users,
    /// Groups.
    Groups,
    /// Application registrations.
    Applications,
    /// Service principals.
    ServicePrincipals,
    /// Devices.
    Devices,
    /// Objects that were soft-deleted, with `_kind`.
    Deleted,
    /// A principal in a group.
    Members,
    /// A principal that owns a group, application or service principal.
    Owners,
    /// A user who owns a device.
    DeviceOwners,
    /// A user who registered a device.
    DeviceUsers,
    /// A principal's app role assignments.
    AppRoles,
    /// Delegated grants; owned by the principal, or by the client where they are for all.
    Grants,
    /// Active directory roles.
    Roles,
    /// PIM: directory roles that a principal may activate.
    EligibleRoles,
    /// PIM: schedules of active directory roles.
    ActiveRoles,
    /// PIM for groups: what a principal may activate.
    EligibleGroups,
    /// PIM for groups: active.
    ActiveGroups,
    /// A user's authentication methods.
    Methods,
    /// An application's federated credentials.
    Federated,
    /// Azure role assignments.
    Azure,
    /// PIM: Azure roles that a principal may activate.
    AzureEligible,
    /// Azure subscriptions.
    Subscriptions,
    /// Azure management groups.
    ManagementGroups,
}

/// The tables whose rows hang on a principal and go with it.
pub const HANGING: [Table; 14] = [
    Table::AzureEligible,
    Table::Members,
    Table::Owners,
    Table::DeviceOwners,
    Table::DeviceUsers,
    Table::AppRoles,
    Table::Grants,
    Table::Roles,
    Table::EligibleRoles,
    Table::ActiveRoles,
    Table::EligibleGroups,
    Table::ActiveGroups,
    Table::Methods,
    Table::Federated,
];

type Key = (Table, String, String);

/// One row.
#[derive(Debug, Clone)]
pub struct Row {
    /// The principal that it hangs on; empty for an object.
    pub owner: String,
    /// Its id within the owner.
    pub id: String,
    /// Its properties.
    pub record: Arc<Record>,
}

/// One change of an object, for delta queries.
#[derive(Debug, Clone)]
pub struct Change {
    /// The object's table.
    pub table: Table,
    /// The object.
    pub id: String,
}

/// All rows of a tenant.
#[derive(Debug, Default)]
pub struct Store {
    rows: BTreeMap<Key, Arc<Record>>,
    /// `(table, id, owner)`.
    reverse: BTreeSet<Key>,
    stale: HashMap<Key, Stale>,
    changes: Vec<Change>,
    lag: Lag,
    now_ms: i64,
    replica: Cell<Replica>,
    touched: RefCell<HashSet<Key>>,
}

impl Store {
    /// Begins a call that `replica` answers.
    pub fn begin(&mut self, replica: Replica, lag: Lag, now_ms: i64) {
        self.replica.set(replica);
        self.lag = lag;
        self.now_ms = now_ms;
        self.stale.retain(|_, stale| stale.is_up(now_ms));
    }

    /// Ends it: what it looked at is one look nearer to being seen as it is.
    pub fn end(&mut self) {
        self.replica.set(Replica::Primary);
        for key in self.touched.get_mut().drain() {
            if let Some(stale) = self.stale.get_mut(&key) {
                stale.look();
            }
        }
    }

    /// Everything is seen as it is, as after a long quiet time.
    pub fn settle(&mut self) {
        self.stale.clear();
    }

    /// One row.
    pub fn get(&self, table: Table, owner: &str, id: &str) -> Option<Arc<Record>> {
        let key = (table, owner.to_owned(), id.to_owned());
        match self.stale_of(&key) {
            Some(stale) => stale.before.clone(),
            None => self.rows.get(&key).cloned(),
        }
    }

    /// One object.
    pub fn object(&self, table: Table, id: &str) -> Option<Arc<Record>> {
        self.get(table, "", id)
    }

    /// All rows of `owner`, in the order of their ids.
    pub fn of(&self, table: Table, owner: &str) -> Vec<Row> {
        let from = (table, owner.to_owned(), String::new());
        let rows = self
            .rows
            .range(from..)
            .take_while(|(key, _)| key.0 == table && key.1 == owner);
        self.as_seen(rows, |key| key.0 == table && key.1 == owner)
    }

    /// All rows of a table, in the order of owners and ids.
    pub fn all(&self, table: Table) -> Vec<Row> {
        let from = (table, String::new(), String::new());
        let rows = self
            .rows
            .range(from..)
            .take_while(|(key, _)| key.0 == table);
        self.as_seen(rows, |key| key.0 == table)
    }

    /// The owners of the rows with this id, in order: the members of a group, the owners of an application.
    pub fn owners(&self, table: Table, id: &str) -> Vec<String> {
        let from = (table, id.to_owned(), String::new());
        let now = self
            .reverse
            .range(from..)
            .take_while(|key| key.0 == table && key.1 == id);
        let mut owners: BTreeSet<String> = now.map(|key| key.2.clone()).collect();
        let other: Vec<&Key> = self
            .stale
            .keys()
            .filter(|key| key.0 == table && key.2 == id)
            .collect();
        for key in other {
            if let Some(stale) = self.stale_of(key) {
                match stale.before {
                    Some(_) => owners.insert(key.1.clone()),
                    None => owners.remove(&key.1),
                };
            }
        }
        owners.into_iter().collect()
    }

    /// The row with this id, where ids are unique in the table.
    pub fn find(&self, table: Table, id: &str) -> Option<Row> {
        let owner = self.owners(table, id).into_iter().next()?;
        let record = self.get(table, &owner, id)?;
        Some(Row {
            owner,
            id: id.to_owned(),
            record,
        })
    }

    /// How many rows a table has.
    pub fn count(&self, table: Table) -> usize {
        self.all(table).len()
    }

    /// Writes a row. Says whether anything differs.
    pub fn put(&mut self, table: Table, owner: &str, id: &str, record: Record) -> bool {
        let key = (table, owner.to_owned(), id.to_owned());
        let before = self.rows.get(&key).cloned();
        if before.as_deref() == Some(&record) {
            return false;
        }
        self.remember(&key, before);
        self.rows.insert(key, Arc::new(record));
        self.reverse
            .insert((table, id.to_owned(), owner.to_owned()));
        true
    }

    /// Changes a row that exists. Says whether anything differs.
    pub fn patch(
        &mut self,
        table: Table,
        owner: &str,
        id: &str,
        change: impl FnOnce(&mut Record),
    ) -> bool {
        let key = (table, owner.to_owned(), id.to_owned());
        let Some(before) = self.rows.get(&key) else {
            return false;
        };
        let mut record = Record::clone(before);
        change(&mut record);
        self.put(table, owner, id, record)
    }

    /// Removes a row and returns what it was.
    pub fn remove(&mut self, table: Table, owner: &str, id: &str) -> Option<Arc<Record>> {
        let key = (table, owner.to_owned(), id.to_owned());
        let before = self.rows.remove(&key)?;
        self.remember(&key, Some(Arc::clone(&before)));
        self.reverse
            .remove(&(table, id.to_owned(), owner.to_owned()));
        Some(before)
    }

    /// The changes of objects of `table` after position `seq`, oldest first.
    pub fn changes_after(&self, table: Table, seq: u64) -> Vec<Change> {
        let skip = usize::try_from(seq).unwrap_or(usize::MAX);
        let later = self.changes.iter().skip(skip);
        later
            .filter(|change| change.table == table)
            .cloned()
            .collect()
    }

    /// The position of the newest change.
    pub fn last_change(&self) -> u64 {
        self.changes.len() as u64
    }

    fn remember(&mut self, key: &Key, before: Option<Arc<Record>>) {
        if key.1.is_empty() && key.0 != Table::Deleted {
            self.changes.push(Change {
                table: key.0,
                id: key.2.clone(),
            });
        }
        // Groups show whom they let in and out.
        if key.0 == Table::Members {
            self.changes.push(Change {
                table: key.0,
                id: format!("{}|{}", key.2, key.1),
            });
        }
        // While replicas have not even seen the change before, they go on showing what was before that one.
        let oldest = match self.stale.remove(key) {
            Some(stale) if stale.is_up(self.now_ms) => stale.before,
            _ => before,
        };
        if let Some(stale) = Stale::new(self.lag, oldest, self.now_ms) {
            self.stale.insert(key.clone(), stale);
        }
    }

    /// The old state of a row, where the replica that answers shows it. Counts as a look.
    fn stale_of(&self, key: &Key) -> Option<&Stale> {
        if self.replica.get() == Replica::Primary || self.stale.is_empty() {
            return None;
        }
        let stale = self.stale.get(key)?;
        self.touched.borrow_mut().insert(key.clone());
        stale.shows(self.replica.get()).then_some(stale)
    }

    fn as_seen<'a>(
        &'a self,
        rows: impl Iterator<Item = (&'a Key, &'a Arc<Record>)>,
        wanted: impl Fn(&Key) -> bool,
    ) -> Vec<Row> {
        let row = |key: &Key, record: &Arc<Record>| Row {
            owner: key.1.clone(),
            id: key.2.clone(),
            record: Arc::clone(record),
        };
        let mut seen: Vec<Row> = Vec::new();
        for (key, record) in rows {
            match self.stale_of(key) {
                Some(stale) => seen.extend(stale.before.as_ref().map(|before| row(key, before))),
                None => seen.push(row(key, record)),
            }
        }
        let gone: Vec<&Key> = self
            .stale
            .keys()
            .filter(|key| wanted(key) && !self.rows.contains_key(*key))
            .collect();
        if !gone.is_empty() {
            for key in gone {
                let before = self.stale_of(key).and_then(|stale| stale.before.as_ref());
                seen.extend(before.map(|before| row(key, before)));
            }
            seen.sort_by(|a, b| (&a.owner, &a.id).cmp(&(&b.owner, &b.id)));
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(store: &mut Store, replica: Replica) {
        let lag = Lag {
            reads: 2,
            ..Lag::default()
        };
        store.begin(replica, lag, 0);
    }

    fn members(store: &mut Store) -> Vec<String> {
        begin(store, Replica::Secondary(0));
        let members = store.owners(Table::Members, "g1");
        store.end();
        members
    }

    #[test]
    fn a_replica_shows_what_was_in_both_directions_and_the_primary_what_is() {
        let mut store = Store::default();
        store.put(Table::Members, "u1", "g1", Record::new());
        begin(&mut store, Replica::Primary);
        store.remove(Table::Members, "u1", "g1");
        store.put(Table::Members, "u2", "g1", Record::new());
        assert_eq!(store.owners(Table::Members, "g1"), ["u2"]);
        assert_eq!(members(&mut store), ["u1"]);
        assert_eq!(members(&mut store), ["u1"]);
        assert_eq!(members(&mut store), ["u2"]);
        assert!(store.get(Table::Members, "u1", "g1").is_none());
    }

    #[test]
    fn only_what_a_call_looks_at_gets_nearer() {
        let mut store = Store::default();
        store.put(Table::Members, "u1", "g1", Record::new());
        begin(&mut store, Replica::Primary);
        store.remove(Table::Members, "u1", "g1");
        for _ in 0..5 {
            begin(&mut store, Replica::Secondary(0));
            assert!(store.of(Table::Members, "u2").is_empty());
            store.end();
        }
        begin(&mut store, Replica::Secondary(0));
        assert_eq!(store.of(Table::Members, "u1").len(), 1);
    }
}
