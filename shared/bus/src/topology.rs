//! The exchanges and queues of Sever, as data.
//!
//! Every argument is one that RabbitMQ 3.10 and 4.x both accept. Arguments of a declared queue cannot be changed, so
//! queue names carry a version; a change of an argument is a new name.

/// Where foreign publishers write, and nothing else: topic exchange.
pub const EXCHANGE_IN: &str = "sever.in";
/// Takes what [`EXCHANGE_IN`] cannot route, so that a mistyped key is kept rather than lost: fanout exchange.
pub const EXCHANGE_IN_UNROUTED: &str = "sever.in.unrouted";
/// Bells for workers: direct exchange. It has no alternate exchange, so an unroutable bell is returned to the relay.
pub const EXCHANGE_CMD: &str = "sever.cmd";
/// Dead letters: direct exchange.
pub const EXCHANGE_DEAD: &str = "sever.dead";

/// Leaver events for intake.
pub const QUEUE_LEAVER: &str = "sever.in.leaver.v1";
/// What nobody routed.
pub const QUEUE_UNROUTED: &str = "sever.in.unrouted.v1";
/// Dead letters of intake.
pub const QUEUE_DLQ_IN: &str = "sever.dlq.in.v1";
/// Declared by the dispatcher only, with [`marker`]; absent after the broker's data was lost.
pub const QUEUE_MARKER: &str = "sever.marker.v1";

/// The work queue of a provider; its routing key on [`EXCHANGE_CMD`] is [`work_key`].
pub fn work_queue(provider: &str) -> String {
    format!("sever.work.{provider}.v1")
}

/// The queue of a provider's urgent jobs, consumed with slots of its own; its routing key is [`urgent_key`].
pub fn urgent_queue(provider: &str) -> String {
    format!("sever.work.{provider}.urgent.v1")
}

/// The queue of a provider's inventory jobs; its routing key is [`inventory_key`].
pub fn inventory_queue(provider: &str) -> String {
    format!("sever.inventory.{provider}.v1")
}

/// The dead-letter queue of a provider; its routing key on [`EXCHANGE_DEAD`] is [`work_key`].
pub fn dead_letter_queue(provider: &str) -> String {
    format!("sever.dlq.{provider}.v1")
}

/// The routing key of a provider's ordinary jobs, and of its dead letters.
pub fn work_key(provider: &str) -> String {
    provider.to_owned()
}

/// The routing key of a provider's urgent jobs.
pub fn urgent_key(provider: &str) -> String {
    format!("{provider}.urgent")
}

/// The routing key of a provider's inventory jobs.
pub fn inventory_key(provider: &str) -> String {
    format!("{provider}.inventory")
}

/// The routing key of intake's dead letters on [`EXCHANGE_DEAD`].
pub const DEAD_KEY_IN: &str = "in";

/// Returns to a queue before the broker dead-letters a message by itself: a crash loop or garbage. Written out because
/// 3.x has no default and 4.x has 20 with *dropping* where there is no dead-letter exchange.
const DELIVERY_LIMIT: i64 = 20;
/// A dead letter may be looked at without end. Not -1: 3.10 loses the message at its first return with it.
const DELIVERY_LIMIT_DEAD: i64 = 1_000_000;
/// A work queue takes about a million bells; then publishers are refused and bells wait in the outbox.
const MAX_LENGTH_BYTES: i64 = 256 * 1024 * 1024;
/// Copies of a quorum queue; on fewer nodes the broker uses those it has.
const QUORUM_GROUP_SIZE: i64 = 3;

/// A kind of exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Routing key equals binding key.
    Direct,
    /// Every binding.
    Fanout,
    /// Binding key with `*` and `#`.
    Topic,
}

/// The value of an argument. Integers are sent as 64-bit, which both broker lines accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
}

/// A durable exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// Its arguments, in the order in which they are declared.
    pub arguments: Vec<(&'static str, Argument)>,
}

/// A durable queue and what is routed to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Its arguments, in the order in which they are declared.
    pub arguments: Vec<(&'static str, Argument)>,
    /// Exchange and binding key.
    pub bindings: Vec<(&'static str, String)>,
}

/// Everything that is declared at each connect: exchanges first, then queues with their bindings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Topology {
    /// The exchanges.
    pub exchanges: Vec<Exchange>,
    /// The queues.
    pub queues: Vec<Queue>,
}

impl Topology {
    /// The topology for these providers, by the names in their routing keys.
    pub fn new(providers: &[&str]) -> Self {
        let mut queues = vec![
            leaver_queue(),
            unrouted_queue(),
            dead_queue(QUEUE_DLQ_IN.into(), DEAD_KEY_IN.into()),
        ];
        for provider in providers {
            queues.push(bell_queue(
                provider,
                work_queue(provider),
                work_key(provider),
            ));
            queues.push(bell_queue(
                provider,
                urgent_queue(provider),
                urgent_key(provider),
            ));
            queues.push(bell_queue(
                provider,
                inventory_queue(provider),
                inventory_key(provider),
            ));
            queues.push(dead_queue(dead_letter_queue(provider), work_key(provider)));
        }
        Self {
            exchanges: exchanges(),
            queues,
        }
    }
}

/// The marker queue: durable, never written to. It is not part of [`Topology`], for it must not come back by itself.
pub fn marker() -> Queue {
    Queue {
        name: QUEUE_MARKER.into(),
        arguments: quorum(DELIVERY_LIMIT_DEAD),
        bindings: Vec::new(),
    }
}

fn exchanges() -> Vec<Exchange> {
    let exchange = |name: &str, kind, arguments| Exchange {
        name: name.into(),
        kind,
        arguments,
    };
    vec![
        exchange(EXCHANGE_IN_UNROUTED, Kind::Fanout, vec![]),
        exchange(
            EXCHANGE_IN,
            Kind::Topic,
            vec![("alternate-exchange", text(EXCHANGE_IN_UNROUTED))],
        ),
        exchange(EXCHANGE_CMD, Kind::Direct, vec![]),
        exchange(EXCHANGE_DEAD, Kind::Direct, vec![]),
    ]
}

fn leaver_queue() -> Queue {
    let mut arguments = quorum(DELIVERY_LIMIT);
    arguments.extend(dead_letters_to(DEAD_KEY_IN));
    Queue {
        name: QUEUE_LEAVER.into(),
        arguments,
        bindings: vec![(EXCHANGE_IN, "leaver.#".into())],
    }
}

fn unrouted_queue() -> Queue {
    let arguments = quorum(DELIVERY_LIMIT_DEAD);
    Queue {
        name: QUEUE_UNROUTED.into(),
        arguments,
        bindings: vec![(EXCHANGE_IN_UNROUTED, String::new())],
    }
}

fn bell_queue(provider: &str, name: String, key: String) -> Queue {
    let mut arguments = quorum(DELIVERY_LIMIT);
    arguments.extend(dead_letters_to(&work_key(provider)));
    arguments.push(("x-max-length-bytes", Argument::Number(MAX_LENGTH_BYTES)));
    Queue {
        name,
        arguments,
        bindings: vec![(EXCHANGE_CMD, key)],
    }
}

/// No expiry, no length limit, no dead-letter exchange: nothing but a consumer takes a message away.
fn dead_queue(name: String, key: String) -> Queue {
    Queue {
        name,
        arguments: quorum(DELIVERY_LIMIT_DEAD),
        bindings: vec![(EXCHANGE_DEAD, key)],
    }
}

fn quorum(delivery_limit: i64) -> Vec<(&'static str, Argument)> {
    vec![
        // Replicated, on the disk of a majority when confirmed; the only replicated kind of 4.x.
        ("x-queue-type", text("quorum")),
        (
            "x-quorum-initial-group-size",
            Argument::Number(QUORUM_GROUP_SIZE),
        ),
        ("x-delivery-limit", Argument::Number(delivery_limit)),
        // A full queue refuses the publisher, who keeps the message; the default would drop the oldest one.
        ("x-overflow", text("reject-publish")),
    ]
}

/// A work queue's dead letters go to the final queue only: a ring without a rejection in it loses messages silently.
fn dead_letters_to(key: &str) -> Vec<(&'static str, Argument)> {
    vec![
        ("x-dead-letter-exchange", text(EXCHANGE_DEAD)),
        ("x-dead-letter-routing-key", text(key)),
        // The default forgets the dead letter when its target is away for a moment. It needs reject-publish.
        ("x-dead-letter-strategy", text("at-least-once")),
    ]
}

fn text(value: &str) -> Argument {
    Argument::Text(value.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The whole table, as a reader of the broker would see it.
    #[test]
    fn the_topology_is_what_was_agreed() {
        insta::assert_debug_snapshot!(Topology::new(&["okta"]));
    }

    #[test]
    fn names_are_unique_and_every_dead_letter_has_a_queue() {
        let topology = Topology::new(&["okta", "entra", "vanta", "scim", "oidc"]);
        let names: BTreeSet<_> = topology.queues.iter().map(|queue| &queue.name).collect();
        assert_eq!(names.len(), topology.queues.len());
        let dead_keys: BTreeSet<&str> = topology
            .queues
            .iter()
            .flat_map(|queue| &queue.bindings)
            .filter(|(exchange, _)| *exchange == EXCHANGE_DEAD)
            .map(|(_, key)| key.as_str())
            .collect();
        for queue in &topology.queues {
            for (name, value) in &queue.arguments {
                if let ("x-dead-letter-routing-key", Argument::Text(key)) = (*name, value) {
                    assert!(
                        dead_keys.contains(key.as_str()),
                        "{} dead-letters into the void",
                        queue.name
                    );
                }
            }
        }
    }
}
