//! The contract between the worker runtime and a provider's own code.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use secrecy::SecretString;
use sever_domain::closing::Rules;
use sever_domain::entitlement::{AccountReading, Entitlement};
use sever_domain::identity::{AccountAttributes, PersonAttributes};
use sever_domain::plan::PlannedStep;
use sever_domain::{
    AccountState, Action, BindingId, ConnectionId, EntitlementKind, Intent, Provider,
};
use thiserror::Error;

use crate::call::{Answer, CallError};
use crate::capability::Capability;
use crate::http::SharedConnection;
use crate::inventory::{Changes, InventoryPage};
use crate::provenance::{LogQuestion, Provenance};
use crate::undo::{BlastRadius, Undo};

/// What a connector is built from: one row of the connection table and its resolved credential.
#[derive(Debug, Clone)]
pub struct ConnectionSettings {
    /// The connection.
    pub id: ConnectionId,
    /// Its name, unique, for logs and metrics.
    pub name: String,
    /// Where the provider is.
    pub base_url: url::Url,
    /// What the `env:` or `file:` reference led to.
    pub credential: SecretString,
    /// The longest time for which an access token of this system works once issued.
    pub access_token_lifetime_max: Duration,
    /// Longer or shorter lifetimes by token issuer, where the organisation configured them.
    pub access_token_lifetime_by_issuer: BTreeMap<String, Duration>,
    /// The largest difference assumed between the provider's clock and the others'.
    pub clock_skew: Duration,
    /// The hard deadline of one call, connecting included.
    pub call_deadline: Duration,
    /// The most calls under way at once.
    pub in_flight_max: usize,
    /// What other processes know of the connection; the clients made from these settings share it.
    pub shared: SharedConnection,
}

/// Why a connector cannot be built from its settings.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("connection '{connection}' cannot be used: {field} {problem}")]
pub struct UnusableConnection {
    /// The connection's name.
    pub connection: String,
    /// The setting at fault.
    pub field: &'static str,
    /// What is wrong with it, and what would be right; never its value where it is secret.
    pub problem: String,
}

/// The connectors of one connection: one for each kind of subject. They share the HTTP client, its rate budget
/// and its token, so that both together are one caller to the provider.
#[derive(Debug)]
pub struct Connected<P, I> {
    /// For subjects that are people: an account is a person's account.
    pub people: P,
    /// For subjects that are integrations: an "account" is the application's object at the provider, its state
    /// `live` while it can get tokens or let people in. `None` where the provider knows no integrations, or the
    /// connection has no part in them.
    pub integrations: Option<I>,
}

/// Builds connectors of one provider.
pub trait ConnectorFactory: Send + Sync + 'static {
    /// The connector for people.
    type People: Connector;
    /// The connector for integrations; [`crate::NoIntegrations`] where there are none.
    type Integrations: Connector;

    /// The provider whose queues the worker consumes.
    fn provider(&self) -> Provider;

    /// Builds the connectors of one connection. Makes no call.
    ///
    /// # Errors
    /// [`UnusableConnection`] where a setting is missing or wrong.
    fn connect(
        &self,
        settings: ConnectionSettings,
    ) -> Result<Connected<Self::People, Self::Integrations>, UnusableConnection>;
}

/// An account, as a lookup by id or login returned it. Personal data: never logged.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// The provider's immutable id.
    pub provider_id: String,
    /// What it can do.
    pub state: AccountState,
    /// The provider's own word for that.
    pub provider_state: String,
    /// What it can be matched by.
    pub attributes: AccountAttributes,
    /// An allow-list of facts: the minimal pre-image of containing. Never a secret.
    pub facts: serde_json::Value,
}

/// What a strongly consistent lookup found.
#[derive(Debug, Clone, PartialEq)]
pub enum FoundAccount {
    /// The account; its id was compared with the one asked for.
    Present(Box<Account>),
    /// The provider says that there is none. Believed only after [`Connector::canary`].
    Absent,
}

/// One write, as it stands in the stored plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// What to do.
    pub action: Action,
    /// The account that it hangs on: a confirmed binding's id.
    pub account_id: String,
    /// The kind of the target.
    pub target_kind: EntitlementKind,
    /// The target's key, as read in the inspection that the plan rests on.
    pub target_key: String,
    /// What the plan stored for the call besides the target.
    pub facts: serde_json::Value,
}

/// One connection of one provider for one kind of subject: what can be seen, planned, done and proven there.
///
/// Reads and writes have a hard deadline each ([`ConnectionSettings::call_deadline`]) and obey the
/// connection's rate budget. Every future is cancel-safe in the sense that dropping it leaves the
/// connector usable; a dropped [`Connector::apply`] may have had its effect.
pub trait Connector: Rules + Send + Sync + 'static {
    /// What it can do with each family that it knows of. Constant; the conformance suite holds it against
    /// [`Connector::families`] and the plans.
    fn capabilities() -> &'static [Capability]
    where
        Self: Sized;

    /// The families that it knows of, in the order in which they are shown. Constant.
    fn families(&self) -> &'static [EntitlementKind];

    /// Proves tenant and credential by one read that cannot be empty.
    ///
    /// # Errors
    /// Class `Credentials` where a freshly made credential fails too; else as any read.
    fn canary(&self) -> impl Future<Output = Result<(), CallError>> + Send;

    /// The account that owns the credential in use, where the provider can tell and it is an account:
    /// removing it would cut off Sever itself.
    ///
    /// # Errors
    /// As any read.
    fn own_account(&self) -> impl Future<Output = Result<Option<String>, CallError>> + Send;

    /// Reads one account by its immutable id. A different id in the answer is an error, not a find.
    ///
    /// # Errors
    /// As any read.
    fn find_by_id(
        &self,
        provider_id: &str,
    ) -> impl Future<Output = Result<FoundAccount, CallError>> + Send;

    /// Looks for accounts by the person's recorded logins, with strongly consistent reads. Returns what
    /// the provider answered with, already filtered locally to the logins asked for; the caller matches
    /// further attributes. An empty list means absent, where the canary holds. Integrations have no login: they
    /// are bound by their id alone, and this is not called for them.
    ///
    /// # Errors
    /// As any read.
    fn find_by_login(
        &self,
        _person: &PersonAttributes,
    ) -> impl Future<Output = Result<Vec<Account>, CallError>> + Send {
        async { Ok(Vec::new()) }
    }

    /// The steps that contain an account, before anything else is read: zero or one for each account.
    fn contain(&self, binding: BindingId, account: &Account) -> Vec<PlannedStep>;

    /// Reads every family of one account. A family that cannot be read says so in its result;
    /// an account that is gone is a reading in state `absent`.
    ///
    /// # Errors
    /// Only what stops the whole reading: credentials, rate, shutting down, or the account's own read failing.
    fn inspect(
        &self,
        provider_id: &str,
    ) -> impl Future<Output = Result<AccountReading, CallError>> + Send;

    /// Looks once more at what the deletion of an account will hide: what hangs on it is in no list afterwards, and comes back
    /// with a restoration. Asked right before that step; `None` where a deletion hides nothing. Families that outlive the
    /// account may be left out.
    ///
    /// # Errors
    /// As any read.
    fn look_before_deletion(
        &self,
        _provider_id: &str,
    ) -> impl Future<Output = Result<Option<AccountReading>, CallError>> + Send {
        async { Ok(None) }
    }

    /// Plans the removal of what was read. Pure. Needs are positions within the returned list.
    fn plan(
        &self,
        intent: Intent,
        binding: BindingId,
        reading: &AccountReading,
    ) -> Vec<PlannedStep>;

    /// How a verified step comes back. `pre_image` is the entitlement as the opening inspection read it, where it
    /// did. Reads what it must know of the target now: a group that has become privileged since is
    /// [`Undo::Impossible`] with that reason.
    ///
    /// # Errors
    /// As any read.
    fn undo(
        &self,
        step: &PlannedStep,
        pre_image: Option<&Entitlement>,
    ) -> impl Future<Output = Result<Undo, CallError>> + Send;

    /// Who else is affected by the removal of what was read. A person is affected alone.
    ///
    /// # Errors
    /// As any read.
    fn blast_radius(
        &self,
        _provider_id: &str,
        _reading: &AccountReading,
    ) -> impl Future<Output = Result<BlastRadius, CallError>> + Send {
        async { Ok(BlastRadius::ONE_PERSON) }
    }

    /// Sends one write, once. Nothing is retried inside.
    ///
    /// # Errors
    /// [`CallError`] with `sent` telling whether it may have had its effect.
    fn apply(&self, effect: &Effect) -> impl Future<Output = Result<Answer, CallError>> + Send;

    /// One page of everything that the provider lists in bulk, after `cursor`; the first one where that is `None`. Pages may be asked
    /// for again after a crash. A family that may not be read, or fails for good, ends as such and the others go on.
    ///
    /// # Errors
    /// Only what stops the whole inventory for now: credentials, rate, shutting down, or a read that may work later.
    fn inventory_page(
        &self,
        _cursor: Option<&serde_json::Value>,
    ) -> impl Future<Output = Result<InventoryPage, CallError>> + Send {
        async { Ok(InventoryPage::unsupported()) }
    }

    /// Who or what gave access to an account or application since an instant, by the provider's own log.
    ///
    /// # Errors
    /// As any read.
    fn provenance(
        &self,
        _question: LogQuestion<'_>,
    ) -> impl Future<Output = Result<Provenance, CallError>> + Send {
        async { Ok(Provenance::NoLog("unsupported")) }
    }

    /// A mark that stands for now, from which [`Self::changes_since`] tells later what changed; `None` where the provider tells no
    /// changes. Taken before a full inventory begins, so that nothing falls between the two.
    ///
    /// # Errors
    /// As any read.
    fn changes_mark(
        &self,
    ) -> impl Future<Output = Result<Option<serde_json::Value>, CallError>> + Send {
        async { Ok(None) }
    }

    /// Families that no list of the provider shows, and that a full inventory reads of some accounts one by one.
    fn read_closely(&self) -> &'static [EntitlementKind] {
        &[]
    }

    /// A page of what changed since a mark.
    ///
    /// # Errors
    /// As any read.
    fn changes_since(
        &self,
        _mark: &serde_json::Value,
    ) -> impl Future<Output = Result<Changes, CallError>> + Send {
        async { Ok(Changes::Lost) }
    }

    /// Calls per second that the provider's documented rate limits allow this connection, for estimates.
    fn calls_per_s(&self) -> f64 {
        10.0
    }

    /// The instant until which the connection wants to be left alone, from the last answers' headers;
    /// `None` when calls may be made.
    fn blocked_for(&self) -> Option<Duration>;
}
