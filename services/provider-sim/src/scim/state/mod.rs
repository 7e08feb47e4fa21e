//! The state of one simulated application.

mod effects;
mod resource;

use std::collections::{BTreeMap, BTreeSet, HashMap};

pub use resource::{Kind, Pending, Resource};
use serde_json::Value;

use super::settings::Settings;
use crate::dice::Dice;
use crate::passage::Window;

/// Everything one application knows.
#[derive(Debug)]
pub struct App {
    /// How it behaves.
    pub settings: Settings,
    /// Users by id.
    pub users: BTreeMap<String, Resource>,
    /// Groups by id.
    pub groups: BTreeMap<String, Resource>,
    /// Ids of users that were deleted.
    pub deleted: BTreeSet<String>,
    /// Rate limit.
    pub window: Window,
    user_names: HashMap<String, String>,
    dice: Dice,
    request_dice: Dice,
    ids: u32,
}

impl App {
    /// An application with nobody in it.
    pub fn new(name: &str, seed: u64, settings: Settings) -> Self {
        Self {
            settings,
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            deleted: BTreeSet::new(),
            window: Window::default(),
            user_names: HashMap::new(),
            dice: Dice::new(seed, &format!("scim/{name}/objects")),
            request_dice: Dice::new(seed, &format!("scim/{name}/requests")),
            ids: 0,
        }
    }

    /// A new id, shaped like a UUID; later ids sort after earlier ones.
    pub fn new_id(&mut self) -> String {
        self.ids += 1;
        let (high, low) = (self.dice.next(), self.dice.next());
        let tail = low & 0xffff_ffff_ffff;
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{tail:012x}",
            self.ids,
            high & 0xffff,
            (high >> 16) & 0xfff,
            (high >> 28) & 0xfff,
        )
    }

    /// The id of the next exchange; its dice are apart, so that reads do not change which ids objects get.
    pub fn new_request_id(&mut self) -> String {
        self.request_dice.text(20)
    }

    /// The resources of a kind.
    pub fn of(&self, kind: Kind) -> &BTreeMap<String, Resource> {
        match kind {
            Kind::User => &self.users,
            Kind::Group => &self.groups,
        }
    }

    /// The resources of a kind, to be changed.
    pub fn of_mut(&mut self, kind: Kind) -> &mut BTreeMap<String, Resource> {
        match kind {
            Kind::User => &mut self.users,
            Kind::Group => &mut self.groups,
        }
    }

    /// The id of the user with this id or `userName`.
    pub fn find_user(&self, name: &str) -> Option<String> {
        if self.users.contains_key(name) {
            return Some(name.to_owned());
        }
        self.user_names.get(&name.to_lowercase()).cloned()
    }

    /// The id of the group with this id or `displayName`.
    pub fn find_group(&self, name: &str) -> Option<String> {
        let mut groups = self.groups.values();
        groups
            .find(|group| group.id() == name || group.text("displayName") == name)
            .map(|group| group.id().to_owned())
    }

    /// The groups that have `user` among their members.
    pub fn groups_of<'a>(&'a self, user: &'a str) -> impl Iterator<Item = &'a Resource> {
        self.groups
            .values()
            .filter(move |group| group.has_member(user))
    }

    /// Whether another user has this `userName`, or another group this `displayName`.
    pub fn is_taken(&self, kind: Kind, name: &str, but: &str) -> bool {
        let holder = match kind {
            Kind::User => self.user_names.get(&name.to_lowercase()).cloned(),
            Kind::Group => None,
        };
        holder.is_some_and(|id| id != but)
    }

    /// Puts a resource in its place.
    pub fn insert(&mut self, kind: Kind, resource: Resource) {
        let id = resource.id().to_owned();
        if kind == Kind::User {
            let name = resource.text("userName").to_lowercase();
            self.user_names.retain(|_, holder| *holder != id);
            self.user_names.insert(name, id.clone());
            self.deleted.remove(&id);
        }
        self.of_mut(kind).insert(id, resource);
    }

    fn forget_name(&mut self, id: &str) {
        self.user_names.retain(|_, holder| holder != id);
    }

    /// Whether the user can act: there, and not inactive.
    pub fn can_act(&self, id: &str) -> bool {
        let active = |user: &Resource| user.attributes.get("active") != Some(&Value::Bool(false));
        self.users.get(id).is_some_and(active)
    }
}
