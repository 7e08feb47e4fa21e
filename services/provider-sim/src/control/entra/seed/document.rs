//! The shape of a seed document. Unknown members are refused, so that a misspelt one does not pass for planted.

use serde::Deserialize;

/// What to add to a tenant.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedDocument {
    /// Management groups of Azure.
    pub management_groups: Vec<SeedManagementGroup>,
    /// Subscriptions of Azure.
    pub subscriptions: Vec<SeedSubscription>,
    /// Groups.
    pub groups: Vec<SeedGroup>,
    /// Applications with their service principals.
    pub applications: Vec<SeedApplication>,
    /// Users with all that hangs on them.
    pub users: Vec<SeedUser>,
}

/// A management group.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedManagementGroup {
    /// Its name, which is its id.
    pub name: String,
}

/// A subscription.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedSubscription {
    /// Its id.
    pub id: String,
    /// The name people see.
    pub name: String,
    /// The management group above it.
    pub management_group: Option<String>,
    /// It is locked against deletions.
    pub locked: bool,
}

/// Who decides about the members of a group, and what kind it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeedGroupKind {
    /// A security group of the cloud.
    #[default]
    Security,
    /// A security group to which directory roles can be given.
    RoleAssignable,
    /// A Microsoft 365 group.
    Microsoft365,
    /// A Microsoft 365 group with a team.
    Team,
    /// A security group that a rule fills.
    Dynamic,
    /// A security group of a local directory.
    Synced,
    /// A mail-enabled security group.
    MailEnabledSecurity,
    /// A distribution list.
    Distribution,
}

/// A group.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedGroup {
    /// Its id.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: SeedGroupKind,
    /// Its rule drops disabled users.
    pub rule_tests_enabled: bool,
    /// Licences that members inherit.
    pub licences: Vec<String>,
    /// Groups that it is in.
    pub groups: Vec<String>,
    /// Who owns it.
    pub owners: Vec<String>,
    /// Directory roles.
    pub roles: Vec<SeedRole>,
    /// Applications that it is assigned to.
    pub app_roles: Vec<String>,
    /// Azure roles.
    pub azure: Vec<SeedAzure>,
}

/// A directory role; without more than a name it is active over the whole directory.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedRole {
    /// Its name or the id of its definition.
    pub role: String,
    /// Its scope; `/` without one.
    pub scope: Option<String>,
    /// Managed by PIM: there is a schedule besides the assignment.
    pub pim: bool,
    /// Activated for a time by somebody eligible, where PIM manages it.
    pub activated: bool,
    /// The end of its schedule; it lasts without one.
    pub until: Option<String>,
}

/// A PIM eligibility or assignment of a group.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedPim {
    /// The group.
    pub group: String,
    /// As owner; else as member.
    pub owner: bool,
    /// Activated for a time by somebody eligible.
    pub activated: bool,
    /// The end of its schedule; it lasts without one.
    pub until: Option<String>,
}

/// An Azure role.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedAzure {
    /// The scope, for instance `/subscriptions/{id}`.
    pub scope: String,
    /// `Owner`, `Contributor`, `Reader`, `User Access Administrator`, or the id of a definition.
    pub role: String,
    /// PIM: it may be activated, and is not active.
    pub eligible: bool,
    /// The end of an eligibility; it lasts without one.
    pub until: Option<String>,
}

/// A secret or key.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedSecret {
    /// The name people see.
    pub name: String,
    /// A secret's value, with which the token endpoint can be asked.
    pub value: Option<String>,
}

/// A federated credential.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedFederated {
    /// Its name.
    pub name: String,
    /// Who issues the tokens.
    pub issuer: String,
    /// Whom they are about.
    pub subject: String,
}

/// A delegated grant.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedGrant {
    /// The client's name or id; an application's own grants leave it out.
    pub client: String,
    /// The resource's name or id; the client itself without one.
    pub resource: Option<String>,
    /// For whom; everybody without one.
    pub user: Option<String>,
    /// The scopes, separated by spaces.
    pub scope: String,
}

/// What an application may do elsewhere.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedPermission {
    /// The resource's name or id.
    pub resource: String,
    /// The app role; the default access without one.
    pub role: Option<String>,
}

/// An application: registration and service principal, or the service principal alone.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedApplication {
    /// The service principal's id.
    pub id: Option<String>,
    /// The registration's id.
    pub application_id: Option<String>,
    /// The client id.
    pub app_id: Option<String>,
    /// The name people see.
    pub name: String,
    /// Registered in another tenant: there is no registration here.
    pub third_party: bool,
    /// A managed identity of Azure.
    pub managed_identity: bool,
    /// One of Microsoft's own.
    pub first_party: bool,
    /// Secrets of the registration.
    pub secrets: Vec<SeedSecret>,
    /// Keys of the registration.
    pub keys: Vec<SeedSecret>,
    /// Federated credentials of the registration.
    pub federated: Vec<SeedFederated>,
    /// Users and groups that may use it.
    pub assigned: Vec<String>,
    /// App roles that it holds.
    pub permissions: Vec<SeedPermission>,
    /// Delegated grants where it is the client.
    pub grants: Vec<SeedGrant>,
    /// Groups that it is in.
    pub groups: Vec<String>,
    /// Who owns it.
    pub owners: Vec<String>,
    /// Active directory roles.
    pub roles: Vec<SeedRole>,
    /// Directory roles that it may activate.
    pub eligible_roles: Vec<SeedRole>,
    /// Azure roles.
    pub azure: Vec<SeedAzure>,
}

/// What a user is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserKind {
    /// Of this tenant.
    #[default]
    Member,
    /// Of another one.
    Guest,
}

/// A device.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedDevice {
    /// Its id.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Other users who registered it.
    pub shared_with: Vec<String>,
    /// The user has registered it and does not own it; without an owner nobody does.
    pub registered_only: bool,
    /// Somebody else who owns it.
    pub owner: Option<String>,
}

/// A user.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedUser {
    /// Their id.
    pub id: Option<String>,
    /// The user principal name.
    pub login: String,
    /// Their e-mail; the login without one.
    pub email: Option<String>,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// The number that HR knows them by.
    pub employee_id: Option<String>,
    /// Member or guest.
    pub kind: UserKind,
    /// A local directory is the master.
    pub synced: bool,
    /// Not enabled.
    pub disabled: bool,
    /// Sessions.
    pub sessions: u64,
    /// Groups.
    pub groups: Vec<String>,
    /// Active directory roles.
    pub roles: Vec<SeedRole>,
    /// Directory roles that they may activate.
    pub eligible_roles: Vec<SeedRole>,
    /// Groups that they may activate.
    pub eligible_groups: Vec<SeedPim>,
    /// Groups that they are in by PIM.
    pub active_groups: Vec<SeedPim>,
    /// Licences by their SKU, directly.
    pub licences: Vec<String>,
    /// Applications, directly.
    pub app_roles: Vec<String>,
    /// Delegated grants.
    pub grants: Vec<SeedGrant>,
    /// Collections of authentication methods, for instance `phoneMethods`; the first is the default.
    pub methods: Vec<String>,
    /// Devices that they own.
    pub devices: Vec<SeedDevice>,
    /// Groups and applications that they own.
    pub owns: Vec<String>,
    /// Azure roles.
    pub azure: Vec<SeedAzure>,
}
