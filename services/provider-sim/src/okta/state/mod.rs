//! The state of one simulated org, and the side effects that Okta documents for changes to it.

mod app;
mod client;
mod device;
mod effects;
mod group;
mod hook;
mod lag;
mod lookup;
mod token;
mod user;

use std::collections::{BTreeMap, BTreeSet, HashMap};

pub use app::{App, AppUser, Assignment};
pub use client::{Client, Key, ScopeGrant, Secret};
pub use device::{Device, Idp, LinkedDefinition};
pub use group::{EVERYONE_NAME, Group, GroupKind, GroupRule};
pub use hook::{Hook, HookKind};
pub use lag::Countdown;
pub use token::{AccessToken, ApiToken, ClientAccess, Grant, RefreshToken};
pub use user::{Core, Factor, Role, Status, Transition, User, Via};

use crate::dice::Dice;
use crate::okta::error::{ApiError, Code};
use crate::okta::rate::Limiter;
use crate::okta::settings::Settings;
use crate::okta::system_log::EventLog;
use lag::Stale;

/// Everything one org knows.
#[derive(Debug)]
pub struct Org {
    /// The name in the path.
    pub name: String,
    /// How it behaves.
    pub settings: Settings,
    /// Source of ids and secrets of this org.
    pub dice: Dice,
    /// Source of request ids, apart so that reads do not change which ids objects get.
    pub request_dice: Dice,
    /// Users by id.
    pub users: BTreeMap<String, User>,
    /// User ids by login in lower case.
    pub logins: HashMap<String, String>,
    /// Ids of users that were deleted.
    pub deleted: BTreeSet<String>,
    /// Groups by id.
    pub groups: BTreeMap<String, Group>,
    /// The id of the group that contains everybody.
    pub everyone: String,
    /// Group rules by id.
    pub rules: BTreeMap<String, GroupRule>,
    /// Apps by id.
    pub apps: BTreeMap<String, App>,
    /// Devices by id.
    pub devices: BTreeMap<String, Device>,
    /// Identity providers by id.
    pub idps: BTreeMap<String, Idp>,
    /// Linked object definitions.
    pub linked: Vec<LinkedDefinition>,
    /// SSWS tokens by id, those of the settings excepted.
    pub api_tokens: BTreeMap<String, ApiToken>,
    /// Event hooks and inline hooks by id.
    pub hooks: BTreeMap<String, Hook>,
    /// Access tokens of service apps by their secret.
    pub access_tokens: HashMap<String, AccessToken>,
    /// Assertion ids that were used already.
    pub used_assertions: HashMap<String, i64>,
    /// Rate limits.
    pub limiter: Limiter,
    /// The System Log.
    pub events: EventLog,
    search_lag: BTreeMap<String, Stale>,
    app_lag: HashMap<(String, String), Countdown>,
    ids: u64,
}

impl Org {
    /// An org with nobody in it; its built-in group Everyone exists.
    pub fn new(name: &str, seed: u64, settings: Settings, now_ms: i64) -> Self {
        let mut org = Self {
            name: name.to_owned(),
            settings,
            dice: Dice::new(seed, &format!("okta/{name}/objects")),
            request_dice: Dice::new(seed, &format!("okta/{name}/requests")),
            users: BTreeMap::new(),
            logins: HashMap::new(),
            deleted: BTreeSet::new(),
            groups: BTreeMap::new(),
            everyone: String::new(),
            rules: BTreeMap::new(),
            apps: BTreeMap::new(),
            devices: BTreeMap::new(),
            idps: BTreeMap::new(),
            linked: Vec::new(),
            api_tokens: BTreeMap::new(),
            hooks: BTreeMap::new(),
            access_tokens: HashMap::new(),
            used_assertions: HashMap::new(),
            limiter: Limiter::default(),
            events: EventLog::default(),
            search_lag: BTreeMap::new(),
            app_lag: HashMap::new(),
            ids: 0,
        };
        org.everyone = org.new_id("00g");
        let everyone = Group::new(&org.everyone, EVERYONE_NAME, GroupKind::BuiltIn, now_ms);
        org.groups.insert(org.everyone.clone(), everyone);
        org
    }

    /// A new id: `prefix` and 17 characters, as Okta's ids look; later ids sort after earlier ones.
    pub fn new_id(&mut self, prefix: &str) -> String {
        const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        self.ids += 1;
        let mut left = self.ids;
        let mut counter = [b'0'; 6];
        for place in counter.iter_mut().rev() {
            *place = DIGITS[(left % 36) as usize];
            left /= 36;
        }
        let counter: String = counter.iter().map(|digit| char::from(*digit)).collect();
        let tail_length = 20_usize.saturating_sub(prefix.len() + 7);
        format!("{prefix}1{counter}{}", self.dice.text(tail_length))
    }

    /// The user `id`.
    pub fn user(&self, id: &str) -> Result<&User, ApiError> {
        self.users
            .get(id)
            .ok_or_else(|| ApiError::not_found(id, "User"))
    }

    /// The user `id`, to be changed.
    pub fn user_mut(&mut self, id: &str) -> Result<&mut User, ApiError> {
        self.users
            .get_mut(id)
            .ok_or_else(|| ApiError::not_found(id, "User"))
    }

    /// The group `id`.
    pub fn group(&self, id: &str) -> Result<&Group, ApiError> {
        self.groups
            .get(id)
            .ok_or_else(|| ApiError::not_found(id, "UserGroup"))
    }

    /// The app `id`.
    pub fn app(&self, id: &str) -> Result<&App, ApiError> {
        self.apps
            .get(id)
            .ok_or_else(|| ApiError::not_found(id, "AppInstance"))
    }

    /// The app `id`, to be changed.
    pub fn app_mut(&mut self, id: &str) -> Result<&mut App, ApiError> {
        self.apps
            .get_mut(id)
            .ok_or_else(|| ApiError::not_found(id, "AppInstance"))
    }

    /// The app whose client id is `client_id`.
    pub fn app_of_client(&self, client_id: &str) -> Option<&App> {
        let mut apps = self.apps.values();
        apps.find(|app| app.client.client_id == client_id)
    }

    /// The device `id`.
    pub fn device(&self, id: &str) -> Result<&Device, ApiError> {
        self.devices
            .get(id)
            .ok_or_else(|| ApiError::not_found(id, "UDDevice"))
    }

    /// Whether the org lacks `family`: an error that clients take for "unsupported".
    pub fn require_feature(&self, family: &str) -> Result<(), ApiError> {
        match self
            .settings
            .missing_features
            .iter()
            .any(|missing| missing == family)
        {
            true => Err(Code::FeatureMissing.into()),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_look_like_oktas_and_sort_by_age() {
        let mut org = Org::new("main", 1, Settings::default(), 0);
        let ids: Vec<String> = (0..100).map(|_| org.new_id("00u")).collect();
        assert!(ids.iter().all(|id| id.len() == 20 && id.starts_with("00u")));
        assert!(ids.is_sorted());
    }
}
