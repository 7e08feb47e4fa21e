//! Side effects of changes: what goes with a deleted object, what comes back with a restored one.

use serde_json::{Value, json};

use super::lookup::Kind;
use super::record::{Record, flag, list, text};
use super::store::{HANGING, Table};
use super::tenant::Tenant;
use crate::clock::{iso, parse_iso};
use crate::entra::error::ApiError;

impl Tenant {
    /// Moves an object to the deleted items. Its relations stay for a restore; the directory no longer shows them.
    pub fn soft_delete(&mut self, kind: Kind, id: &str, now_ms: i64) -> bool {
        let Some(record) = self.store.remove(kind.table(), "", id) else {
            return false;
        };
        let mut deleted = Record::clone(&record);
        deleted.insert("_kind".into(), json!(kind.cast()));
        deleted.insert("deletedDateTime".into(), json!(iso(now_ms)));
        self.store.put(Table::Deleted, "", id, deleted);
        if kind == Kind::User {
            self.set_sessions(id, 0);
        }
        if kind == Kind::Application
            && let Some(principal) = self.service_principal_of(text(&record, "appId"))
        {
            self.soft_delete(Kind::ServicePrincipal, &principal, now_ms);
        }
        true
    }

    /// What the deleted object `id` is.
    pub fn deleted_kind(&self, id: &str) -> Option<Kind> {
        let deleted = self.store.object(Table::Deleted, id)?;
        Kind::from_cast(text(&deleted, "_kind"))
    }

    /// Brings a deleted object back, as it was.
    ///
    /// # Errors
    /// 404 where it is not among the deleted items, 400 where its user principal name is taken.
    pub fn restore(&mut self, id: &str, new_name: Option<&str>) -> Result<Kind, ApiError> {
        let deleted = self.store.object(Table::Deleted, id);
        let deleted = deleted.ok_or_else(|| ApiError::not_found(id))?;
        let kind = Kind::from_cast(text(&deleted, "_kind")).unwrap_or(Kind::User);
        let mut record = Record::clone(&deleted);
        record.remove("_kind");
        record.insert("deletedDateTime".into(), Value::Null);
        if let Some(name) = new_name {
            record.insert("userPrincipalName".into(), json!(name));
        }
        let name = text(&record, "userPrincipalName").to_owned();
        if kind == Kind::User && self.id_of(Kind::User, &name).is_ok() {
            return Err(ApiError::bad_request(
                "Another object with the same value for property userPrincipalName already exists.",
            ));
        }
        self.store.remove(Table::Deleted, "", id);
        if !self.settings.unconfirmed.restore_keeps_access {
            self.strip(id);
        }
        let app_id = text(&record, "appId").to_owned();
        self.store.put(kind.table(), "", id, record);
        if kind == Kind::Application {
            let rows = self.store.all(Table::Deleted);
            let principal = rows
                .into_iter()
                .find(|row| text(&row.record, "appId") == app_id);
            if let Some(row) = principal {
                self.restore(&row.id, None)?;
            }
        }
        Ok(kind)
    }

    /// Ends a deleted object for good. Azure role assignments outlive it.
    pub fn hard_delete(&mut self, id: &str) -> bool {
        let existed = self.store.remove(Table::Deleted, "", id).is_some();
        if existed {
            self.strip(id);
        }
        existed
    }

    /// Ends what was deleted too long ago.
    pub fn purge(&mut self, now_ms: i64) {
        let keep_ms = self.settings.deleted_days * 86_400_000;
        let rows = self.store.all(Table::Deleted);
        let over = rows.into_iter().filter(|row| {
            parse_iso(text(&row.record, "deletedDateTime"))
                .is_some_and(|deleted| deleted + keep_ms <= now_ms)
        });
        for row in over.collect::<Vec<_>>() {
            self.hard_delete(&row.id);
        }
    }

    /// Enables or disables a user, and lets the rules of dynamic groups see it. Says whether it differed.
    pub fn set_enabled(&mut self, user: &str, enabled: bool) -> bool {
        let changed = self.store.patch(Table::Users, "", user, |record| {
            record.insert("accountEnabled".into(), json!(enabled));
        });
        if !enabled {
            let left: Vec<String> = self
                .store
                .of(Table::Members, user)
                .into_iter()
                .filter(|row| {
                    let group = self.store.object(Table::Groups, &row.id);
                    group.is_some_and(|group| flag(&group, "_rule_tests_enabled"))
                })
                .map(|row| row.id)
                .collect();
            for group in left {
                self.store.remove(Table::Members, user, &group);
            }
        }
        changed
    }

    /// Sets how many sessions a user has.
    pub fn set_sessions(&mut self, user: &str, sessions: u64) {
        self.store.patch(Table::Users, "", user, |record| {
            record.insert("_sessions".into(), json!(sessions));
        });
    }

    /// The licences that reach `user`, with the group that each comes from.
    pub fn licences(&self, user: &str, record: &Record) -> Vec<Value> {
        let state = |sku: &Value, group: Option<&str>| {
            json!({
                "skuId": sku, "assignedByGroup": group, "disabledPlans": [], "error": "None", "state": "Active",
                "lastUpdatedDateTime": record.get("createdDateTime"),
            })
        };
        let mut states: Vec<Value> = list(record, "_licences")
            .iter()
            .map(|sku| state(sku, None))
            .collect();
        for row in self.store.of(Table::Members, user) {
            let Some(group) = self.store.object(Table::Groups, &row.id) else {
                continue;
            };
            let inherited = list(&group, "_licences").iter();
            states.extend(inherited.map(|sku| state(sku, Some(&row.id))));
        }
        states
    }

    /// The service principal with this application id.
    pub fn service_principal_of(&self, app_id: &str) -> Option<String> {
        let rows = self.store.all(Table::ServicePrincipals);
        rows.into_iter()
            .find(|row| text(&row.record, "appId") == app_id)
            .map(|row| row.id)
    }

    fn strip(&mut self, principal: &str) {
        for table in HANGING {
            for row in self.store.of(table, principal) {
                self.store.remove(table, principal, &row.id);
            }
        }
    }
}
