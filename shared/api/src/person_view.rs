//! How people are shown to operators over HTTP. These views hold personal data: never logged.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sever_domain::Provider;
use sever_domain::employment::EmploymentState;
use sever_domain::identity::{BindingBasis, BindingState};
use sever_store::person_view::{BindingRow, PersonRow};
use utoipa::ToSchema;
use uuid::Uuid;

/// One person with the accounts that are or could be theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonView {
    /// The subject id: the pseudonym under which audit events and logs name them.
    pub id: Uuid,
    /// Given name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Family name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// E-mail addresses.
    pub emails: Vec<String>,
    /// What the sources last said.
    #[schema(value_type = String, example = "active")]
    pub employment_state: EmploymentState,
    /// The keys at the sources, each as `source:external_id`.
    pub keys: Vec<String>,
    /// The accounts.
    pub accounts: Vec<AccountView>,
    /// When the person was last changed.
    pub updated_at: Timestamp,
}

/// One account that is, or could be, a person's; or one application object that is an integration's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountView {
    /// The connection's name.
    pub connection: String,
    /// The provider.
    #[schema(value_type = String, example = "okta")]
    pub provider: Provider,
    /// The provider's id of it.
    pub provider_id: String,
    /// What is known of it: only a `confirmed` one is ever written to.
    #[schema(value_type = String, example = "confirmed")]
    pub state: BindingState,
    /// Why it is believed.
    #[schema(value_type = String, example = "source_listed")]
    pub basis: BindingBasis,
    /// When it was confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
}

/// One line of a list of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonLine {
    /// The subject id.
    pub id: Uuid,
    /// Given name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Family name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// What the sources last said.
    #[schema(value_type = String, example = "active")]
    pub employment_state: EmploymentState,
    /// The keys at the sources, each as `source:external_id`.
    pub keys: Vec<String>,
}

/// A page of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonPage {
    /// The people.
    pub items: Vec<PersonLine>,
    /// Pass it as `after` for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct ImportView {
    /// Rows read, the header not counted.
    pub rows: u64,
    /// People made.
    pub created: u64,
    /// People who existed and of whom something changed.
    pub changed: u64,
    /// People of whom nothing changed.
    pub unchanged: u64,
    /// Account ids that are candidates from now on, until a read by id confirms them.
    pub candidates: u64,
    /// Account ids passed over because their source is not trusted.
    pub untrusted_accounts: u64,
    /// Requests that had waited for somebody of this import, and are matched now.
    pub matched: u64,
    /// Rows that were set aside; every other row was imported.
    pub rejected_rows: u64,
    /// What was wrong with the first 1,000 of them.
    pub rejected: Vec<RejectedRow>,
}

/// A row that was set aside. Never holds the faulty value, which may be personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RejectedRow {
    /// The line at which the row begins; the header is line 1.
    pub line: u64,
    /// The column at fault.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
}

impl PersonView {
    /// A person with their accounts.
    #[must_use]
    pub fn new(person: PersonRow, accounts: Vec<BindingRow>) -> Self {
        Self {
            id: person.id.0,
            given_name: person.given_name,
            family_name: person.family_name,
            emails: person.emails,
            employment_state: person.employment_state,
            keys: person.keys,
            accounts: accounts.into_iter().map(AccountView::from).collect(),
            updated_at: person.updated_at,
        }
    }
}

impl From<BindingRow> for AccountView {
    fn from(row: BindingRow) -> Self {
        Self {
            connection: row.connection,
            provider: row.provider,
            provider_id: row.provider_id,
            state: row.state,
            basis: row.basis,
            confirmed_at: row.confirmed_at,
        }
    }
}

impl From<PersonRow> for PersonLine {
    fn from(person: PersonRow) -> Self {
        Self {
            id: person.id.0,
            given_name: person.given_name,
            family_name: person.family_name,
            employment_state: person.employment_state,
            keys: person.keys,
        }
    }
}
