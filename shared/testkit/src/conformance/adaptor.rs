//! What the suite must know of a provider.

use std::time::Duration;

use serde_json::Value;
use sever_domain::identity::PersonAttributes;
use sever_domain::{Provider, SubjectKind};
use sever_provider::ConnectorFactory;

/// One provider, as the suite needs to know it.
pub trait Adaptor: Send + Sync + 'static {
    /// The factory that the worker's `main` uses.
    type Factory: ConnectorFactory;

    /// Makes the factory. One for each "process": a crash makes the next one.
    fn factory(&self) -> Self::Factory;

    /// The settings of the simulator's instance, under one twist.
    fn settings(&self, twist: Twist) -> Value;

    /// What the connection's credential reference leads to. `put` is what the simulator answered to the settings.
    fn credential(&self, kind: SubjectKind, put: &Value) -> String;

    /// Whether the credential for this kind of subject makes tokens: a refused token is then mended by a new one, without a
    /// person.
    fn makes_tokens(&self, kind: SubjectKind) -> bool;

    /// The subject to remove; `None` where the provider knows no such subjects.
    fn subject(&self, kind: SubjectKind) -> Option<Subject>;

    /// The journal's families of the calls that fetch tokens: writes that concern nobody.
    fn token_families(&self) -> &'static [&'static str];

    /// The journal's families of the calls that carry the credential itself rather than a token made with it: a 401 there
    /// is wrong credentials at once.
    fn secret_families(&self) -> &'static [&'static str] {
        self.token_families()
    }

    /// The journal's families of the calls that carry no credential: a 401 there is for a person to look at.
    fn open_families(&self) -> &'static [&'static str] {
        &[]
    }

    /// The journal's operations that a second run repeats although nothing is left, because no read can tell that, and that
    /// the simulator counts as a change: a moment, or a value that nobody knows.
    fn repeated(&self) -> &'static [&'static str] {
        &[]
    }

    /// The provider.
    fn provider(&self) -> Provider {
        self.factory().provider()
    }

    /// The hard deadline of a call where nothing is slow on purpose.
    fn call_deadline(&self) -> Duration {
        Duration::from_secs(20)
    }
}

/// A way in which a server does not do as it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Twist {
    /// None.
    Plain,
    /// Every filter is ignored: lists and searches answer with everything.
    FilterIgnored,
    /// Small pages, each of which comes twice.
    PageRepeats,
    /// Small pages of which the first comes again and again.
    PagesWithoutEnd,
}

/// One subject with its surroundings.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The provider's immutable id.
    pub account: String,
    /// What a person is looked up by; `None` for an integration.
    pub person: Option<PersonAttributes>,
    /// What is planted, in order. Ids are given, or follow the simulator's seed.
    pub seeds: Vec<Value>,
    /// Where the truth about the subject is, below the instance's control path.
    pub truth: String,
    /// What must remain of its `live` after a clean run.
    pub left: Value,
    /// Who must not be touched.
    pub bystanders: Vec<Bystander>,
    /// Members of truths that are not the same in every run, such as moments.
    pub volatile: &'static [&'static str],
    /// What can change behind the connector's back.
    pub changes: Changes,
    /// What people do when they are asked, as orders of `mutate`.
    pub people_do: Vec<Value>,
}

/// Somebody or something that must not be touched.
#[derive(Debug, Clone)]
pub struct Bystander {
    /// Where the truth about it is.
    pub truth: String,
    /// Its ids and names: no call may name them.
    pub names: Vec<String>,
}

/// Changes between plan and apply, as orders of `mutate`; a row without one is left out.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Further access of the subject.
    pub more_access: Option<Value>,
    /// The subject gets another login.
    pub renamed: Option<Value>,
    /// The subject is deleted.
    pub deleted: Option<Value>,
}

/// A short word for a kind of subject, as cells are named.
#[derive(Debug, Clone, Copy)]
pub struct Kind(pub SubjectKind);

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_str())
    }
}
