//! Where everything of a fleet listens: on loopback, below the range from which the kernel takes ports for outgoing connections.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context as _;
use sever_config::ports;
use sever_private_servers::{are_free, free_ports};

/// The simulator's port where it is free.
const SIMULATOR: u16 = 8090;

/// The usual ports of the services: intake and the console, each with its health port, then the reconciler's and the workers' health ports.
const SERVICES: [u16; 10] = [
    ports::INTAKE_HTTP,
    ports::INTAKE_OPS,
    ports::CONSOLE_HTTP,
    ports::CONSOLE_OPS,
    ports::RECONCILER_OPS,
    ports::WORKER_OKTA_OPS,
    ports::WORKER_ENTRA_OPS,
    ports::WORKER_VANTA_OPS,
    ports::WORKER_SCIM_OPS,
    ports::WORKER_OIDC_OPS,
];

/// The addresses of the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Addresses {
    /// HTTP of intake.
    pub(crate) intake: SocketAddr,
    /// Health and metrics of intake.
    pub(crate) intake_ops: SocketAddr,
    /// HTTP of the console.
    pub(crate) console: SocketAddr,
    /// Health and metrics of the console.
    pub(crate) console_ops: SocketAddr,
    /// Health and metrics of the reconciler.
    pub(crate) reconciler_ops: SocketAddr,
    /// Health and metrics of the workers.
    pub(crate) workers: [Worker; 5],
}

/// One worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Worker {
    /// The name of its program.
    pub(crate) program: &'static str,
    /// Health and metrics.
    pub(crate) ops: SocketAddr,
}

/// Which ports are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ports {
    /// The usual ones where they are free, so that nobody needs to look them up.
    Usual,
    /// Any free ones, so that nothing else on the machine is in the way.
    Any,
}

impl Addresses {
    /// Chooses ports that are free now. Bind them soon.
    ///
    /// # Errors
    /// Where hardly any port is free.
    pub(crate) fn choose(wanted: Ports) -> anyhow::Result<Self> {
        let [
            intake,
            intake_ops,
            console,
            console_ops,
            reconciler_ops,
            okta,
            entra,
            vanta,
            scim,
            oidc,
        ] = choose(wanted, SERVICES)?;
        let worker = |program, ops| Worker { program, ops };
        Ok(Self {
            intake,
            intake_ops,
            console,
            console_ops,
            reconciler_ops,
            workers: [
                worker("sever-worker-okta", okta),
                worker("sever-worker-entra", entra),
                worker("sever-worker-scim", scim),
                worker("sever-worker-oidc", oidc),
                worker("sever-worker-vanta", vanta),
            ],
        })
    }
}

/// An address for the simulator, free now.
///
/// # Errors
/// As [`Addresses::choose`].
pub(crate) fn for_simulator(wanted: Ports) -> anyhow::Result<SocketAddr> {
    choose(wanted, [SIMULATOR]).map(|[simulator]| simulator)
}

fn choose<const N: usize>(wanted: Ports, usual: [u16; N]) -> anyhow::Result<[SocketAddr; N]> {
    let mut chosen: [u16; N] =
        free_ports().context("finding free ports on 127.0.0.1 below 32768")?;
    if wanted == Ports::Usual {
        for (port, usual) in chosen.iter_mut().zip(usual) {
            if are_free(&[usual]) {
                *port = usual;
            }
        }
    }
    Ok(chosen.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port))))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_usual_port_that_is_taken_is_replaced() {
        // Another program may have it already, which serves as well.
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, SIMULATOR));
        let chosen = for_simulator(Ports::Usual).unwrap();
        assert_ne!(chosen.port(), SIMULATOR);
    }
}
