//! What can happen to a fleet.

use crate::process::Kind;

/// One fault. How long it lasts and whom of two it strikes is drawn when it is dealt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// SIGKILL to one replica.
    Kill(Kind),
    /// SIGKILL to both replicas at once.
    KillBoth(Kind),
    /// SIGSTOP for longer than a heartbeat lives, then SIGCONT: a process that does not know that it was taken for dead.
    Freeze(Kind),
    /// SIGTERM and a new process, one replica after the other, of every kind.
    RollingRestart,
    /// SIGKILL to the broker.
    BrokerKilled,
    /// The broker is stopped in order and started.
    BrokerRestarted,
    /// The broker loses all its data.
    BrokerWiped,
    /// The broker blocks publishers.
    BrokerAlarm,
    /// SIGKILL to PostgreSQL, which recovers from its log.
    DatabaseKilled,
    /// PostgreSQL is stopped in order and started.
    DatabaseRestarted,
    /// Connections end, and new ones cannot be made.
    Cut(Peer),
    /// Connections stay and carry nothing.
    Stall(Peer),
    /// Connections carry one direction only.
    HalfOpen(Peer),
    /// Connections carry everything late.
    Slow(Peer),
    /// A part of the provider's answers is an error, a reset, a silence or lost.
    ProviderErrors,
}

/// The far end of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// PostgreSQL.
    Database,
    /// RabbitMQ.
    Broker,
    /// The providers.
    Provider,
}

impl Peer {
    const fn word(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Broker => "broker",
            Self::Provider => "provider",
        }
    }
}

impl Fault {
    /// All of them; workers most often.
    pub(crate) const ALL: [Self; 27] = [
        Self::Kill(Kind::WorkerOkta),
        Self::Kill(Kind::WorkerOkta),
        Self::Kill(Kind::WorkerScim),
        Self::Kill(Kind::WorkerScim),
        Self::KillBoth(Kind::WorkerOkta),
        Self::Kill(Kind::Intake),
        Self::KillBoth(Kind::Intake),
        Self::Kill(Kind::Console),
        Self::Freeze(Kind::WorkerOkta),
        Self::Freeze(Kind::WorkerScim),
        Self::RollingRestart,
        Self::BrokerKilled,
        Self::BrokerRestarted,
        Self::BrokerWiped,
        Self::BrokerAlarm,
        Self::DatabaseKilled,
        Self::DatabaseRestarted,
        Self::Cut(Peer::Database),
        Self::Stall(Peer::Database),
        Self::HalfOpen(Peer::Database),
        Self::Cut(Peer::Broker),
        Self::Stall(Peer::Broker),
        Self::HalfOpen(Peer::Broker),
        Self::Cut(Peer::Provider),
        Self::HalfOpen(Peer::Provider),
        Self::Slow(Peer::Provider),
        Self::ProviderErrors,
    ];

    /// Those that are over within seconds.
    pub(crate) const SHORT: [Self; 8] = [
        Self::Kill(Kind::WorkerOkta),
        Self::Kill(Kind::WorkerScim),
        Self::Kill(Kind::Intake),
        Self::Kill(Kind::Console),
        Self::DatabaseKilled,
        Self::Cut(Peer::Database),
        Self::Cut(Peer::Broker),
        Self::HalfOpen(Peer::Provider),
    ];

    /// Its name in the report.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Kill(kind) => format!("kill one {}", kind.word()),
            Self::KillBoth(kind) => format!("kill both {}", kind.word()),
            Self::Freeze(kind) => format!("freeze one {}", kind.word()),
            Self::RollingRestart => "rolling restart".to_owned(),
            Self::BrokerKilled => "kill broker".to_owned(),
            Self::BrokerRestarted => "restart broker".to_owned(),
            Self::BrokerWiped => "wipe broker".to_owned(),
            Self::BrokerAlarm => "broker alarm".to_owned(),
            Self::DatabaseKilled => "kill postgres".to_owned(),
            Self::DatabaseRestarted => "restart postgres".to_owned(),
            Self::Cut(peer) => format!("cut {}", peer.word()),
            Self::Stall(peer) => format!("stall {}", peer.word()),
            Self::HalfOpen(peer) => format!("half-open {}", peer.word()),
            Self::Slow(peer) => format!("slow {}", peer.word()),
            Self::ProviderErrors => "provider errors".to_owned(),
        }
    }
}
