//! Changes with the side effects that Okta documents (help page "Deactivate and delete user accounts").

use super::{Org, Status, User, Via};

impl Org {
    /// Adds `user`; their login must be free.
    pub fn insert_user(&mut self, user: User, now_ms: i64) {
        self.remember_for_search(&user.id, now_ms);
        self.deleted.remove(&user.id);
        self.logins
            .insert(user.core.login().to_lowercase(), user.id.clone());
        self.users.insert(user.id.clone(), user);
    }

    /// Sets the status of user `id` and the moments that go with it.
    pub fn set_status(&mut self, id: &str, status: Status, now_ms: i64) {
        self.remember_for_search(id, now_ms);
        if let Some(user) = self.users.get_mut(id) {
            user.core.status = status;
            user.core.status_changed = now_ms;
            user.core.last_updated = now_ms;
            if status == Status::Active && user.core.activated.is_none() {
                user.core.activated = Some(now_ms);
            }
        }
    }

    /// Suspends: sign-in is blocked and sessions end; everything else stays.
    pub fn suspend(&mut self, id: &str, now_ms: i64) {
        self.set_status(id, Status::Suspended, now_ms);
        self.end_sessions(id);
    }

    /// Deactivates: sessions, app assignments, admin roles and API tokens go; groups, factors, devices and links stay.
    pub fn deactivate(&mut self, id: &str, now_ms: i64) {
        self.set_status(id, Status::Deprovisioned, now_ms);
        self.end_sessions(id);
        if self.settings.unconfirmed.deactivate_revokes_tokens {
            self.revoke_oauth(id);
        }
        self.drop_api_tokens(id);
        let Some(user) = self.users.get_mut(id) else {
            return;
        };
        user.transition = None;
        user.roles.clear();
        let kept = &self.apps;
        user.apps.retain(|app, _| {
            kept.get(app)
                .is_some_and(|app| !app.active || app.keeps_on_deactivate)
        });
        for (app_id, app) in &mut self.apps {
            if !user.apps.contains_key(app_id) {
                app.users.remove(id);
            }
        }
    }

    /// Deletes: nothing of the user stays.
    pub fn delete_user(&mut self, id: &str, now_ms: i64) {
        self.deactivate(id, now_ms);
        let Some(user) = self.users.remove(id) else {
            return;
        };
        self.logins.remove(&user.core.login().to_lowercase());
        for group in self.groups.values_mut() {
            group.members.remove(id);
            group.owners.remove(id);
        }
        self.apps.values_mut().for_each(|app| {
            app.users.remove(id);
        });
        self.devices.values_mut().for_each(|device| {
            device.users.remove(id);
        });
        for other in self.users.values_mut() {
            other.linked.retain(|_, primary| primary != id);
        }
        self.app_lag.retain(|(user, _), _| user != id);
        self.deleted.insert(id.to_owned());
    }

    /// Switches app `id` off; assignments that groups gave are stripped, where the settings say so.
    pub fn deactivate_app(&mut self, id: &str, now_ms: i64) {
        let strips = self.settings.unconfirmed.app_deactivate_strips_groups;
        if let Some(app) = self.apps.get_mut(id) {
            app.active = false;
            app.last_updated = now_ms;
            if strips {
                app.groups.clear();
            }
        }
    }

    /// Deletes app `id` with its assignments, credentials, grants and refresh tokens. Access tokens live on.
    pub fn delete_app(&mut self, id: &str) {
        let Some(app) = self.apps.remove(id) else {
            return;
        };
        for user in self.users.values_mut() {
            user.apps.remove(id);
            user.clients.remove(&app.client.client_id);
        }
    }

    /// Revokes every refresh token that was issued to client `client_id`; says whether there were any.
    pub fn revoke_client_tokens(&mut self, client_id: &str, server: Option<&str>) -> bool {
        let mut any = false;
        let users = self.users.values_mut();
        let held = users.filter_map(|user| user.clients.get_mut(client_id));
        let tokens = held.flat_map(|access| access.tokens.values_mut());
        for token in tokens.filter(|token| token.server.as_deref() == server) {
            any |= !token.revoked;
            token.revoked = true;
        }
        any
    }

    /// Ends all Okta sessions; says whether there were any.
    pub fn end_sessions(&mut self, id: &str) -> bool {
        self.users
            .get_mut(id)
            .is_some_and(|user| std::mem::take(&mut user.sessions) > 0)
    }

    /// Revokes all refresh tokens, grants stay; says whether there were any.
    pub fn revoke_oauth(&mut self, id: &str) -> bool {
        let Some(user) = self.users.get_mut(id) else {
            return false;
        };
        let mut any = false;
        for token in user
            .clients
            .values_mut()
            .flat_map(|client| client.tokens.values_mut())
        {
            any |= !token.revoked;
            token.revoked = true;
        }
        any
    }

    /// Drops all SSWS tokens of user `id`; says whether there were any.
    pub fn drop_api_tokens(&mut self, id: &str) -> bool {
        let count = |org: &Self| org.api_tokens.len() + org.settings.ssws_tokens.len();
        let before = count(self);
        self.api_tokens.retain(|_, token| token.user != id);
        self.settings
            .ssws_tokens
            .retain(|token| token.user_id.as_deref() != Some(id));
        before != count(self)
    }

    /// Puts user `id` into group `group`; says whether they were not in it.
    pub fn join_group(&mut self, id: &str, group: &str, via: Via, now_ms: i64) -> bool {
        let (Some(user), Some(found)) = (self.users.get_mut(id), self.groups.get_mut(group)) else {
            return false;
        };
        self.app_lag.remove(&(id.to_owned(), group.to_owned()));
        found.last_membership_updated = now_ms;
        user.groups.insert(group.to_owned(), via);
        found.members.insert(id.to_owned())
    }

    /// Takes user `id` out of group `group`; a rule that had put them in leaves them out from now on. Says whether they
    /// were in it.
    pub fn leave_group(&mut self, id: &str, group: &str, now_ms: i64) -> Option<Via> {
        let via = self.users.get_mut(id)?.groups.remove(group)?;
        if let Some(found) = self.groups.get_mut(group) {
            found.members.remove(id);
            found.last_membership_updated = now_ms;
        }
        if let Via::Rule(rule) = &via
            && let Some(rule) = self.rules.get_mut(rule)
        {
            rule.excluded.insert(id.to_owned());
            rule.last_updated = now_ms;
        }
        self.remember_for_apps(id, group, now_ms);
        Some(via)
    }

    /// One read of user `id`: a deactivation under way comes one read closer to its end.
    pub fn poll_transition(&mut self, id: &str, now_ms: i64) {
        let Some(transition) = self
            .users
            .get_mut(id)
            .and_then(|user| user.transition.as_mut())
        else {
            return;
        };
        if transition.polls_left > 0 {
            transition.polls_left -= 1;
            return;
        }
        self.deactivate(id, now_ms);
    }
}
