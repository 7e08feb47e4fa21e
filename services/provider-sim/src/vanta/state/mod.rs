//! The state of one simulated tenant.

mod account;
mod group;
mod integration;
mod person;
mod resource;
mod user;

use std::collections::{BTreeMap, HashMap};

pub use account::{Account, Followed};
pub use group::Group;
pub use integration::{Connection, Integration, Kind, Resource};
pub use person::{Computer, Leave, Person, Source, Task};
pub use resource::{ResourceSet, Row};
pub use user::{Managed, User};

use crate::dice::Dice;
use crate::vanta::error::ApiError;
use crate::vanta::rate::Limiter;
use crate::vanta::settings::{Application, Settings};

/// An access token.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The application.
    pub client_id: String,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// When it ends, in milliseconds since the Unix epoch.
    pub expires_at: i64,
}

/// Everything one tenant knows.
#[derive(Debug)]
pub struct Tenant {
    /// How it behaves.
    pub settings: Settings,
    /// Source of ids.
    pub dice: Dice,
    /// Source of request ids and secrets, apart so that calls do not change which ids objects get.
    pub request_dice: Dice,
    /// Workforce records by id.
    pub people: BTreeMap<String, Person>,
    /// Logins to Vanta itself by id.
    pub users: BTreeMap<String, User>,
    /// Groups by id.
    pub groups: BTreeMap<String, Group>,
    /// Integrations by id.
    pub integrations: BTreeMap<String, Integration>,
    /// Monitored computers by id.
    pub computers: BTreeMap<String, Computer>,
    /// What applications pushed, by type and resource id.
    pub pushed: BTreeMap<(String, String), ResourceSet>,
    /// Live tokens by their secret; at most one for each application.
    pub tokens: HashMap<String, AccessToken>,
    /// Rate limits.
    pub limiter: Limiter,
    ids: u32,
}

impl Tenant {
    /// A tenant with nobody in it.
    pub fn new(name: &str, seed: u64, settings: Settings) -> Self {
        Self {
            settings,
            dice: Dice::new(seed, &format!("vanta/{name}/objects")),
            request_dice: Dice::new(seed, &format!("vanta/{name}/requests")),
            people: BTreeMap::new(),
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            integrations: BTreeMap::new(),
            computers: BTreeMap::new(),
            pushed: BTreeMap::new(),
            tokens: HashMap::new(),
            limiter: Limiter::default(),
            ids: 0,
        }
    }

    /// A new id: 24 hexadecimal digits; later ids sort after earlier ones.
    pub fn new_id(&mut self) -> String {
        self.ids += 1;
        format!("{:08x}{:016x}", self.ids, self.dice.next())
    }

    /// The application `client_id`.
    pub fn application(&self, client_id: &str) -> Option<&Application> {
        let mut applications = self.settings.applications.iter();
        applications.find(|application| application.client_id == client_id)
    }

    /// The person `id`.
    pub fn person(&self, id: &str) -> Result<&Person, ApiError> {
        self.people
            .get(id)
            .ok_or_else(|| ApiError::not_found("Person"))
    }

    /// The group `id`.
    pub fn group(&self, id: &str) -> Result<&Group, ApiError> {
        self.groups
            .get(id)
            .ok_or_else(|| ApiError::not_found("Group"))
    }

    /// The person that `name` means: an id, or an e-mail that only one person has.
    pub fn find_person(&self, name: &str) -> Option<String> {
        if self.people.contains_key(name) {
            return Some(name.to_owned());
        }
        let mut found = self
            .people
            .values()
            .filter(|person| person.email.eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (Some(person), None) => Some(person.id.clone()),
            _ => None,
        }
    }

    /// The user that `name` means: an id, or an e-mail.
    pub fn find_user(&self, name: &str) -> Option<String> {
        if self.users.contains_key(name) {
            return Some(name.to_owned());
        }
        let mut users = self.users.values();
        let found = users.find(|user| user.email.eq_ignore_ascii_case(name));
        found.map(|user| user.id.clone())
    }

    /// The user who is `person`, by the record's own link or by e-mail.
    pub fn user_of(&self, person: &Person) -> Option<&User> {
        let linked = person.user.as_ref().and_then(|id| self.users.get(id));
        linked.or_else(|| self.users.get(&self.find_user(&person.email)?))
    }

    /// The person who is `user`.
    pub fn person_of(&self, user: &User) -> Option<&Person> {
        let mut people = self.people.values();
        people.find(|person| {
            person.user.as_deref() == Some(user.id.as_str())
                || person.email.eq_ignore_ascii_case(&user.email)
        })
    }

    /// Ends the tokens of application `client_id`, or of all; says how many.
    pub fn revoke_tokens(&mut self, client_id: Option<&str>) -> usize {
        let before = self.tokens.len();
        self.tokens
            .retain(|_, token| client_id.is_some_and(|id| token.client_id != id));
        before - self.tokens.len()
    }

    /// Rows that an application pushed as active accounts of the person with this `email`.
    pub fn pushed_accounts<'a>(&'a self, email: &'a str) -> impl Iterator<Item = &'a Row> {
        let accounts = self.pushed.iter();
        let accounts = accounts.filter(|((kind, _), _)| kind == "user_account");
        accounts
            .flat_map(|(_, set)| set.rows.iter())
            .filter(move |row| row.is_active_account_of(email))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_hexadecimal_and_sort_by_age() {
        let mut tenant = Tenant::new("main", 1, Settings::default());
        let ids: Vec<String> = (0..100).map(|_| tenant.new_id()).collect();
        let plain = |id: &String| id.len() == 24 && id.chars().all(|c| c.is_ascii_hexdigit());
        assert!(ids.iter().all(plain) && ids.is_sorted());
    }
}
