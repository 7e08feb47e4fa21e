//! The programs of a fleet: their files, arguments, environments and where they say that they are ready.

use super::addresses::Addresses;
use super::broker::Broker;
use super::database::Database;
use super::fleet::Plan;
use super::home::Home;
use super::service::{Program, Service, readyz};
use super::simulator::Simulator;

/// Starts the simulator and waits until it answers.
///
/// # Errors
/// As [`Service::start`] and [`Service::wait_until_ready`].
pub(super) async fn start_simulator(
    at: &Simulator,
    home: &Home,
    http: &reqwest::Client,
) -> anyhow::Result<Service> {
    let address = at.address();
    let simulator = Service::start(Program {
        name: "sever-provider-sim",
        arguments: vec!["--listen".into(), address.to_string()],
        environment: Vec::new(),
        ready: format!("http://{address}/healthz"),
        logs: &home.logs(),
    })
    .await?;
    simulator.wait_until_ready(http).await?;
    Ok(simulator)
}

/// Starts the services, without waiting for them.
///
/// # Errors
/// As [`Service::start`].
pub(super) async fn start_services(
    plan: &Plan,
    addresses: Addresses,
    home: &Home,
    database: &Database,
    broker: &Broker,
) -> anyhow::Result<Vec<Service>> {
    let mut wanted = vec![
        ("sever-intake", Some(addresses.intake), addresses.intake_ops),
        (
            "sever-console",
            Some(addresses.console),
            addresses.console_ops,
        ),
        ("sever-reconciler", None, addresses.reconciler_ops),
    ];
    let workers = addresses.workers.iter();
    wanted.extend(workers.map(|worker| (worker.program, None, worker.ops)));
    let logs = home.logs();
    let mut services = Vec::with_capacity(wanted.len());
    for (name, address, ops) in wanted {
        let environment = plan
            .environment
            .clone()
            .reaching(&database.service_url_file, &broker.url_file)
            .listening(address, ops);
        let program = Program {
            name,
            arguments: Vec::new(),
            environment: environment.into_pairs(),
            ready: readyz(ops),
            logs: &logs,
        };
        services.push(Service::start(program).await?);
    }
    Ok(services)
}
