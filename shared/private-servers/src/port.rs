//! Free ports on loopback, below the range from which the kernel takes ports for outgoing connections.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    net::{Ipv4Addr, TcpListener},
    ops::Range,
};

/// Erlang's command line tools listen at the distribution port + 10,000, which must stay below 32,768 as well.
const PORTS: Range<u16> = 12_000..22_000;
const DRAWS: usize = 200;

/// How often a server is started with fresh ports when somebody takes one between our look and its bind.
pub(crate) const START_TRIES: usize = 5;

/// `N` different ports that were free on 127.0.0.1 a moment ago; `None` if hardly any is free.
pub fn free_ports<const N: usize>() -> Option<[u16; N]> {
    let mut held = Vec::with_capacity(N);
    for _ in 0..DRAWS {
        if held.len() == N {
            break;
        }
        let port =
            PORTS.start + u16::try_from(random() % u64::from(PORTS.end - PORTS.start)).ok()?;
        // Held until all are drawn, so that they differ from each other.
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            held.push((port, listener));
        }
    }
    let ports: Vec<u16> = held.iter().map(|(port, _)| *port).collect();
    ports.try_into().ok()
}

/// Whether all of these ports can be bound on 127.0.0.1 now.
pub fn are_free(ports: &[u16]) -> bool {
    ports
        .iter()
        .all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
}

/// A number that differs from call to call and from process to process; not for secrets.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_ports_differ_and_are_below_the_ephemeral_range() {
        let ports: [u16; 8] = free_ports().unwrap();
        let distinct: std::collections::BTreeSet<_> = ports.iter().collect();
        assert_eq!(distinct.len(), 8);
        assert!(ports.iter().all(|port| PORTS.contains(port)));
    }

    #[test]
    fn a_taken_port_is_seen() {
        let [port] = free_ports().unwrap();
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(!are_free(&[port]));
    }
}
