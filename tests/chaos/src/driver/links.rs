//! Breaking links.

use std::time::Duration;

use rand::Rng as _;
use sever_testkit::{Passage, Proxy};

use super::Driver;
use crate::fault::{Fault, Peer};
use crate::ground::Ground;

impl Driver<'_> {
    /// Breaks one or both links to a peer for a while.
    pub(super) async fn break_link(&mut self, fault: Fault) {
        let (peer, passage) = match fault {
            Fault::Cut(peer) => (peer, Passage::Cut),
            Fault::Stall(peer) => (peer, Passage::Silent),
            Fault::HalfOpen(peer) if self.dice.random() => (peer, Passage::DeafServer),
            Fault::HalfOpen(peer) => (peer, Passage::DeafClient),
            Fault::Slow(peer) => {
                let ms = self.dice.random_range(50..400);
                (peer, Passage::Slow(Duration::from_millis(ms)))
            }
            _ => return,
        };
        // Half the fleet, the other half, or everybody.
        let struck = self.dice.random_range(0..3);
        let links = links(self.ground, peer);
        let set = |passage| {
            let chosen = links
                .iter()
                .enumerate()
                .filter(|(half, _)| struck == 2 || *half == struck);
            chosen.for_each(|(_, link)| link.set(passage));
        };
        set(passage);
        self.hold(3..14).await;
        set(Passage::Open);
    }
}

fn links(ground: &Ground, peer: Peer) -> [&Proxy; 2] {
    let links = &ground.links;
    match peer {
        Peer::Database => links.database.each_ref(),
        Peer::Broker => links.broker.each_ref(),
        Peer::Provider => [&links.okta, &links.scim],
    }
}
