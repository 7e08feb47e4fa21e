//! The shape of a seed document. Unknown members are refused, so that a misspelt one does not pass for planted.

use serde::Deserialize;
use serde_json::Value;

use crate::vanta::state::{Followed, Managed};

/// People and access to add to a tenant.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedDocument {
    /// Groups.
    pub groups: Vec<SeedGroup>,
    /// Logins to Vanta of nobody in `people`, or that several name.
    pub users: Vec<SeedUser>,
    /// People with all that hangs on them.
    pub people: Vec<SeedPerson>,
    /// Integrations.
    pub integrations: Vec<SeedIntegration>,
    /// Rows that an application pushed earlier.
    pub resources: Vec<SeedResources>,
}

/// A group.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedGroup {
    /// Its id.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Imported from an identity provider.
    pub imported: bool,
}

/// A login to Vanta.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedUser {
    /// Its id.
    pub id: Option<String>,
    /// Its e-mail; under a person, that person's.
    pub email: Option<String>,
    /// The name people see.
    pub name: Option<String>,
    /// Who decides about it.
    pub managed: Managed,
    /// An administrator.
    pub admin: bool,
    /// Deactivated already.
    pub inactive: bool,
}

/// A person.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedPerson {
    /// The id.
    pub id: Option<String>,
    /// `emailAddress`.
    pub email: String,
    /// `name.first`.
    pub first_name: Option<String>,
    /// `name.last`.
    pub last_name: Option<String>,
    /// `employment.status`; `CURRENT` without one.
    pub employment: Option<String>,
    /// `employment.startDate`.
    pub start_date: Option<String>,
    /// `employment.endDate`.
    pub end_date: Option<String>,
    /// `employment.jobTitle`.
    pub job_title: Option<String>,
    /// `VANTA`, `SCIM`, or the id of an integration; `VANTA` without one.
    pub source: Option<String>,
    /// Their login to Vanta.
    pub user: Option<SeedUser>,
    /// Groups by id or name.
    pub groups: Vec<String>,
    /// Accounts elsewhere.
    pub accounts: Vec<SeedAccount>,
    /// Names of custom offboarding tasks that are not done.
    pub tasks: Vec<String>,
    /// Serial numbers of monitored computers.
    pub computers: Vec<String>,
    /// Offboarded already.
    pub offboarded: bool,
    /// Marked as not a person, with this reason.
    pub not_a_person: Option<String>,
    /// Becomes `FORMER` once this account elsewhere is deactivated.
    pub follows: Option<Followed>,
}

/// An account elsewhere.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedAccount {
    /// Its id.
    pub id: Option<String>,
    /// The name of the system.
    pub system: String,
    /// No integration reports it.
    pub unmonitored: bool,
    /// Deactivated already.
    pub inactive: bool,
    /// An account in this process whose state it follows.
    pub follows: Option<Followed>,
}

/// An integration.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedIntegration {
    /// Its id, for instance `okta`.
    pub id: String,
    /// The name people see; the id without one.
    pub name: Option<String>,
    /// Ids of its connections; one without any.
    pub connections: Vec<String>,
    /// Kinds of resources.
    pub kinds: Vec<SeedKind>,
}

/// A kind of resources.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedKind {
    /// Its name.
    pub name: String,
    /// Resources can be taken out of scope.
    pub scopable: bool,
    /// The resources.
    pub resources: Vec<SeedResource>,
}

/// A resource.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedResource {
    /// Its id.
    pub id: Option<String>,
    /// The name people see.
    pub name: String,
    /// The user who owns it, by id or e-mail.
    pub owner: Option<String>,
}

/// What an application pushed.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedResources {
    /// For instance `user_account`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The resource id of the Developer Console.
    pub resource_id: String,
    /// The rows, each with `uniqueId`.
    pub rows: Vec<Value>,
}
