//! Questions about the state that need more than one collection.

use super::{App, AppUser, GroupKind, Org, Role, Status, User};

impl Org {
    /// The id of the user that `name` means: an id, a login, or a login without its domain where only one user has it.
    pub fn find_user(&self, name: &str) -> Option<String> {
        if self.users.contains_key(name) {
            return Some(name.to_owned());
        }
        // A login with a slash is found by id only.
        if name.contains('/') {
            return None;
        }
        let lower = name.to_lowercase();
        if let Some(id) = self.logins.get(&lower) {
            return Some(id.clone());
        }
        let prefix = format!("{lower}@");
        let mut short = self
            .logins
            .iter()
            .filter(|(login, _)| login.starts_with(&prefix));
        match (short.next(), short.next()) {
            (Some((_, id)), None) => Some(id.clone()),
            _ => None,
        }
    }

    /// The ids of the groups of `user`, Everyone included.
    pub fn groups_of<'a>(&'a self, user: &'a User) -> impl Iterator<Item = &'a str> {
        std::iter::once(self.everyone.as_str()).chain(user.groups.keys().map(String::as_str))
    }

    /// The ids of the users in group `id`, in order.
    pub fn members_of<'a>(&'a self, id: &str) -> Box<dyn Iterator<Item = &'a str> + 'a> {
        if id == self.everyone {
            return Box::new(self.users.keys().map(String::as_str));
        }
        match self.groups.get(id) {
            Some(group) => Box::new(group.members.iter().map(String::as_str)),
            None => Box::new(std::iter::empty()),
        }
    }

    /// The groups through which `user` has `app`, removals that lag included.
    pub fn granting_groups(&self, app: &App, user: &User, now_ms: i64) -> Vec<String> {
        // A deactivated user has no assignments although the memberships stay; only apps that deprovisioning passes by
        // keep theirs.
        if user.status() == Status::Deprovisioned && app.active && !app.keeps_on_deactivate {
            return Vec::new();
        }
        let counts = |group: &String| {
            *group == self.everyone
                || user.groups.contains_key(group)
                || self.lags_in_group(&user.id, group, now_ms)
        };
        app.groups
            .iter()
            .filter(|group| counts(group))
            .cloned()
            .collect()
    }

    /// What `app` shows of `user`, if anything.
    pub fn app_user(&self, app: &App, user: &User, now_ms: i64) -> Option<AppUser> {
        let groups = self.granting_groups(app, user, now_ms);
        let direct = user.apps.get(&app.id);
        if direct.is_none() && groups.is_empty() {
            return None;
        }
        Some(AppUser {
            user: user.id.clone(),
            direct: direct.is_some(),
            groups,
            created: direct.map_or(user.core.created, |assignment| assignment.created),
            user_name: direct.map_or_else(
                || user.core.login().to_owned(),
                |assignment| assignment.user_name.clone(),
            ),
            profile: direct
                .map(|assignment| assignment.profile.clone())
                .unwrap_or_default(),
        })
    }

    /// All users of `app`, by id.
    pub fn app_users(&self, app: &App, now_ms: i64) -> Vec<AppUser> {
        let mut ids: std::collections::BTreeSet<&str> =
            app.users.iter().map(String::as_str).collect();
        for group in &app.groups {
            ids.extend(self.members_of(group));
            ids.extend(
                self.app_lag
                    .keys()
                    .filter(|(_, left)| left == group)
                    .map(|(user, _)| user.as_str()),
            );
        }
        let users = ids.into_iter().filter_map(|id| self.users.get(id));
        users
            .filter_map(|user| self.app_user(app, user, now_ms))
            .collect()
    }

    /// The apps of `user`, by id.
    pub fn apps_of(&self, user: &User, now_ms: i64) -> Vec<(&App, AppUser)> {
        self.apps
            .values()
            .filter_map(|app| self.app_user(app, user, now_ms).map(|found| (app, found)))
            .collect()
    }

    /// The roles that `user` has through groups; a deactivated user has none.
    pub fn inherited_roles(&self, user: &User) -> Vec<(&str, &Role)> {
        if user.status() == Status::Deprovisioned {
            return Vec::new();
        }
        let groups = user.groups.keys().filter_map(|id| self.groups.get(id));
        groups
            .flat_map(|group| group.roles.values().map(|role| (group.id.as_str(), role)))
            .collect()
    }

    /// Whether `user` has any role, own or inherited.
    pub fn is_admin(&self, user: &User) -> bool {
        !user.roles.is_empty() || !self.inherited_roles(user).is_empty()
    }

    /// The memberships of `user` that an administrator of Okta can end.
    pub fn removable_groups<'a>(&'a self, user: &'a User) -> impl Iterator<Item = &'a str> {
        let groups = user.groups.keys().filter_map(|id| self.groups.get(id));
        groups
            .filter(|group| group.kind == GroupKind::OktaGroup)
            .map(|group| group.id.as_str())
    }
}
