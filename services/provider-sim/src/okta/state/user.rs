//! A user and what hangs on them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::app::Assignment;
use super::token::ClientAccess;

/// Status of a user (management API, `UserStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// May sign in.
    #[default]
    Active,
    /// Deactivated; may be deleted.
    Deprovisioned,
    /// Locked after failed sign-ins.
    LockedOut,
    /// Must choose a new password.
    PasswordExpired,
    /// Activated, the welcome flow is not done.
    Provisioned,
    /// In password recovery.
    Recovery,
    /// Created, never activated.
    Staged,
    /// Suspended, reversibly.
    Suspended,
}

impl Status {
    /// The status as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Deprovisioned => "DEPROVISIONED",
            Self::LockedOut => "LOCKED_OUT",
            Self::PasswordExpired => "PASSWORD_EXPIRED",
            Self::Provisioned => "PROVISIONED",
            Self::Recovery => "RECOVERY",
            Self::Staged => "STAGED",
            Self::Suspended => "SUSPENDED",
        }
    }

    /// Whether the user can act, now or after something they can do themselves.
    pub fn can_act(self) -> bool {
        !matches!(self, Self::Deprovisioned | Self::Suspended | Self::Staged)
    }
}

/// The part of a user that `search` indexes, and shows late.
#[derive(Debug, Clone)]
pub struct Core {
    /// Current status.
    pub status: Status,
    /// Milliseconds since the Unix epoch, as all moments here.
    pub created: i64,
    /// First activation.
    pub activated: Option<i64>,
    /// Last change of status.
    pub status_changed: i64,
    /// Last sign-in.
    pub last_login: Option<i64>,
    /// Last change.
    pub last_updated: i64,
    /// Last change of password; `None`: has no password.
    pub password_changed: Option<i64>,
    /// `profile`, with at least `login`.
    pub profile: Map<String, Value>,
    /// `credentials.provider.type`.
    pub provider_type: String,
    /// `credentials.provider.name`.
    pub provider_name: String,
}

impl Core {
    /// A text member of the profile, empty where it is missing.
    pub fn profile_text(&self, name: &str) -> &str {
        self.profile
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// `profile.login`.
    pub fn login(&self) -> &str {
        self.profile_text("login")
    }
}

/// A change of status under way.
#[derive(Debug, Clone, Copy)]
pub struct Transition {
    /// Reads of the user until it is done.
    pub polls_left: u32,
}

/// How a user came into a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// By hand, by import or by an app.
    Direct,
    /// By the group rule with this id.
    Rule(String),
}

/// A role assignment of a user or a group.
#[derive(Debug, Clone)]
pub struct Role {
    /// The assignment's id; for a custom role, the binding's.
    pub id: String,
    /// `SUPER_ADMIN`, `APP_ADMIN` and so on, or `CUSTOM`.
    pub kind: String,
    /// The name people see.
    pub label: String,
    /// The custom role's id.
    pub custom_role: Option<String>,
    /// The custom role's resource set.
    pub resource_set: Option<String>,
    /// The groups that it is limited to; none is all.
    pub target_groups: Vec<String>,
    /// The applications that it is limited to, by name; none is all.
    pub target_apps: Vec<String>,
}

/// An enrolled factor.
#[derive(Debug, Clone)]
pub struct Factor {
    /// Its id.
    pub id: String,
    /// `push`, `token:software:totp`, `webauthn`, `sms` and so on.
    pub kind: String,
    /// `OKTA`, `FIDO`, `GOOGLE`.
    pub provider: String,
}

/// A user.
#[derive(Debug, Clone)]
pub struct User {
    /// The immutable id.
    pub id: String,
    /// What `search` indexes.
    pub core: Core,
    /// A deactivation under way.
    pub transition: Option<Transition>,
    /// Okta sessions.
    pub sessions: u32,
    /// Devices that Okta remembers for sign-in.
    pub remembered_devices: u32,
    /// Groups by id, Everyone excepted.
    pub groups: BTreeMap<String, Via>,
    /// Direct assignments by app id.
    pub apps: BTreeMap<String, Assignment>,
    /// Refresh tokens and grants by client id.
    pub clients: BTreeMap<String, ClientAccess>,
    /// Roles assigned to the user by assignment id.
    pub roles: BTreeMap<String, Role>,
    /// Factors by id.
    pub factors: BTreeMap<String, Factor>,
    /// Devices by id.
    pub devices: BTreeSet<String>,
    /// Identity providers whose accounts are linked, by id.
    pub idps: BTreeSet<String>,
    /// Primary user id by the primary's relationship name, for instance `manager`.
    pub linked: BTreeMap<String, String>,
}

impl User {
    /// A user with no access yet.
    pub fn new(id: &str, core: Core) -> Self {
        Self {
            id: id.to_owned(),
            core,
            transition: None,
            sessions: 0,
            remembered_devices: 0,
            groups: BTreeMap::new(),
            apps: BTreeMap::new(),
            clients: BTreeMap::new(),
            roles: BTreeMap::new(),
            factors: BTreeMap::new(),
            devices: BTreeSet::new(),
            idps: BTreeSet::new(),
            linked: BTreeMap::new(),
        }
    }

    /// Current status.
    pub fn status(&self) -> Status {
        self.core.status
    }
}
