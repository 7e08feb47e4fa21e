//! Changes, with what follows from them.

use serde_json::{Value, json};

use super::{App, Kind, Pending, Resource};
use crate::scim::settings::Delete;

impl App {
    /// Puts a changed user in place of the one before. A change of `active` may take effect later, which is said.
    pub fn change_user(&mut self, id: &str, mut changed: Resource, now_ms: i64) -> bool {
        let before = self
            .users
            .get(id)
            .and_then(|user| user.attributes.get("active"));
        let (before, wanted) = (
            before.cloned(),
            changed.attributes.get("active").and_then(Value::as_bool),
        );
        let asked = wanted.filter(|wanted| before != Some(json!(wanted)));
        let later = asked.is_some() && self.settings.active_polls > 0;
        if let Some(active) = asked.filter(|_| later) {
            changed.attributes.insert("active".into(), json!(before));
            // Asking again does not start the wait again.
            let waits = changed.pending.take();
            changed.pending = waits
                .filter(|pending| pending.active == active)
                .or(Some(Pending {
                    polls_left: self.settings.active_polls,
                    active,
                }));
        }
        changed.touch(now_ms);
        self.insert(Kind::User, changed);
        if !later && wanted == Some(false) {
            self.after_deactivation(id, now_ms);
        }
        later
    }

    /// Sets `active` at once.
    pub fn set_active(&mut self, id: &str, active: bool, now_ms: i64) {
        if let Some(user) = self.users.get_mut(id) {
            user.attributes.insert("active".into(), json!(active));
            user.pending = None;
            user.touch(now_ms);
        }
        if !active {
            self.after_deactivation(id, now_ms);
        }
    }

    fn after_deactivation(&mut self, id: &str, now_ms: i64) {
        if !self.settings.deactivation_keeps_groups {
            self.leave_all_groups(id, now_ms);
        }
    }

    fn leave_all_groups(&mut self, id: &str, now_ms: i64) {
        for group in self.groups.values_mut() {
            if group.drop_member(id) {
                group.touch(now_ms);
            }
        }
    }

    /// Deletes a user as the settings have it; says whether that is possible.
    pub fn delete_user(&mut self, id: &str, how: Delete, now_ms: i64) -> bool {
        match how {
            Delete::Missing => return false,
            Delete::Soft => self.set_active(id, false, now_ms),
            Delete::Hidden => {
                self.set_active(id, false, now_ms);
                self.deleted.insert(id.to_owned());
            }
            Delete::Hard => {
                self.users.remove(id);
                self.forget_name(id);
                self.deleted.insert(id.to_owned());
                if !self.settings.deletion_keeps_members {
                    self.leave_all_groups(id, now_ms);
                }
            }
        }
        true
    }

    /// Puts a user into a group; says whether they were not in it.
    pub fn join_group(&mut self, id: &str, group: &str, now_ms: i64) -> bool {
        let display = self
            .users
            .get(id)
            .map(|user| user.text("userName").to_owned());
        let Some(group) = self.groups.get_mut(group) else {
            return false;
        };
        if group.has_member(id) {
            return false;
        }
        let members = group
            .attributes
            .entry("members")
            .or_insert_with(|| json!([]));
        if let Value::Array(members) = members {
            members.push(json!({ "value": id, "display": display, "type": "User" }));
        }
        group.touch(now_ms);
        true
    }

    /// One read of a user: a change under way comes one read closer.
    pub fn poll(&mut self, id: &str, now_ms: i64) {
        let Some(user) = self.users.get_mut(id) else {
            return;
        };
        match &mut user.pending {
            Some(pending) if pending.polls_left > 0 => pending.polls_left -= 1,
            Some(pending) => {
                let active = pending.active;
                self.set_active(id, active, now_ms);
            }
            None => {}
        }
    }
}
