//! The state of one simulated realm.

mod client;
mod effects;
mod token;
mod user;

use std::collections::{BTreeMap, BTreeSet, HashMap};

pub use client::{Authentication, Client};
pub use token::{Session, Token, TokenKind};
pub use user::User;

use super::settings::Settings;
use crate::dice::Dice;
use crate::passage::Window;

/// Everything one realm knows.
#[derive(Debug)]
pub struct Realm {
    /// Its name.
    pub name: String,
    /// How it behaves.
    pub settings: Settings,
    /// Users by id, those of service accounts among them.
    pub users: BTreeMap<String, User>,
    /// Ids of users that were deleted.
    pub deleted: BTreeSet<String>,
    /// Clients by their internal id.
    pub clients: BTreeMap<String, Client>,
    /// Internal ids of clients that were deleted, by client id.
    pub deleted_clients: BTreeMap<String, String>,
    /// Sessions by id, online and offline.
    pub sessions: BTreeMap<String, Session>,
    /// Tokens by their secret.
    pub tokens: HashMap<String, Token>,
    /// Names of groups by id.
    pub groups: BTreeMap<String, String>,
    /// Ids of parents by the group below them.
    pub group_parents: BTreeMap<String, String>,
    /// Ids of realm roles by the group that gives them.
    pub group_roles: BTreeMap<String, BTreeSet<String>>,
    /// Roles of clients by the group that gives them: names by internal id of the client.
    pub group_client_roles: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    /// Roles of clients by the realm role that contains them: names by internal id of the client.
    pub composites: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    /// Names of realm roles by id.
    pub roles: BTreeMap<String, String>,
    /// Assertion ids that were used already, with their expiry in seconds.
    pub used_assertions: HashMap<String, i64>,
    /// What was issued before this second is not valid.
    pub not_before_s: i64,
    /// Rate limit.
    pub window: Window,
    dice: Dice,
    request_dice: Dice,
    ids: u32,
}

impl Realm {
    /// A realm with nobody in it.
    pub fn new(name: &str, seed: u64, settings: Settings) -> Self {
        Self {
            name: name.to_owned(),
            settings,
            users: BTreeMap::new(),
            deleted: BTreeSet::new(),
            clients: BTreeMap::new(),
            deleted_clients: BTreeMap::new(),
            sessions: BTreeMap::new(),
            tokens: HashMap::new(),
            groups: BTreeMap::new(),
            group_parents: BTreeMap::new(),
            group_roles: BTreeMap::new(),
            group_client_roles: BTreeMap::new(),
            composites: BTreeMap::new(),
            roles: BTreeMap::new(),
            used_assertions: HashMap::new(),
            not_before_s: 0,
            window: Window::default(),
            dice: Dice::new(seed, &format!("oidc/{name}/objects")),
            request_dice: Dice::new(seed, &format!("oidc/{name}/requests")),
            ids: 0,
        }
    }

    /// A new id, shaped like a UUID; later ids sort after earlier ones.
    pub fn new_id(&mut self) -> String {
        self.ids += 1;
        let (high, low) = (self.dice.next(), self.dice.next());
        let tail = low & 0xffff_ffff_ffff;
        format!(
            "{:08x}-{:04x}-4{:03x}-9{:03x}-{tail:012x}",
            self.ids,
            high & 0xffff,
            (high >> 16) & 0xfff,
            (high >> 28) & 0xfff,
        )
    }

    /// A new secret.
    pub fn new_secret(&mut self) -> String {
        self.request_dice.text(40)
    }

    /// The id of the next exchange; its dice are apart, so that reads do not change which ids objects get.
    pub fn new_request_id(&mut self) -> String {
        self.request_dice.text(20)
    }

    /// The id of the user with this id, user name or address.
    pub fn find_user(&self, name: &str) -> Option<String> {
        if self.users.contains_key(name) {
            return Some(name.to_owned());
        }
        let mut users = self.users.values();
        let same = |user: &&User| {
            user.username.eq_ignore_ascii_case(name) || user.email.eq_ignore_ascii_case(name)
        };
        users.find(same).map(|user| user.id.clone())
    }

    /// A group and all above it, itself first.
    pub fn lineage(&self, group: &str) -> Vec<String> {
        let mut lineage = vec![group.to_owned()];
        while let Some(parent) = lineage.last().and_then(|it| self.group_parents.get(it)) {
            if lineage.contains(parent) {
                break;
            }
            lineage.push(parent.clone());
        }
        lineage
    }

    /// The path of a group, from the topmost down.
    pub fn group_path(&self, group: &str) -> String {
        let lineage = self.lineage(group);
        let names = lineage.iter().rev().filter_map(|id| self.groups.get(id));
        names.map(|name| format!("/{name}")).collect()
    }

    /// The client with this `client_id`.
    pub fn client_named(&self, client_id: &str) -> Option<&Client> {
        self.clients
            .values()
            .find(|client| client.client_id == client_id)
    }

    /// The internal id of the client with this internal id or `client_id`.
    pub fn find_client(&self, name: &str) -> Option<String> {
        if self.clients.contains_key(name) {
            return Some(name.to_owned());
        }
        self.client_named(name).map(|client| client.uuid.clone())
    }

    /// Sessions of a user, online or offline.
    pub fn sessions_of<'a>(
        &'a self,
        user: &'a str,
        offline: bool,
    ) -> impl Iterator<Item = &'a Session> {
        self.sessions
            .values()
            .filter(move |session| session.user == user && session.offline == offline)
    }

    /// Whether `token` still works at this provider.
    pub fn works(&self, token: &Token, now_ms: i64) -> bool {
        let issued_s = token.issued_ms.div_euclid(1000);
        let client = self
            .clients
            .get(&token.client)
            .is_some_and(|client| client.enabled && client.not_before_s <= issued_s);
        let user = token.user.as_ref().is_none_or(|id| {
            let checked = self.settings.unconfirmed.introspection_checks_user;
            self.users
                .get(id)
                .is_some_and(|user| (user.enabled || !checked) && user.not_before_s <= issued_s)
        });
        let session = token
            .session
            .as_ref()
            .is_none_or(|id| self.sessions.contains_key(id));
        let lives = !token.revoked && now_ms < token.expires_ms && self.not_before_s <= issued_s;
        lives && client && user && session
    }
}
