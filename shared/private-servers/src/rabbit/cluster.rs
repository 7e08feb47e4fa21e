//! Several nodes on one machine, joined into one cluster.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use futures::future::try_join_all;

use super::node::{Shared, cookie};
use super::{PrivateRabbit, RabbitOptions, SERVER, start_epmd};
use crate::{
    directory::Directory, error::ServerError, install::SYSTEM_PATH, port::free_ports,
    process::OwnedProcess,
};

/// A cluster of our own on 127.0.0.1. Each node can be killed and restarted by itself.
///
/// Dropping it kills it.
#[derive(Debug)]
pub struct PrivateCluster {
    // Before the port mapper and the directory, so that everything has ended when the directory is unlocked.
    nodes: Vec<PrivateRabbit>,
    _epmd: OwnedProcess,
    _directory: Directory,
}

impl PrivateCluster {
    /// Starts `size` nodes on `dir`, which must be its own and empty, and joins them; about 140 MB of memory each.
    ///
    /// # Errors
    /// As [`PrivateRabbit::start`]; [`ServerError::Tool`] when a node cannot join.
    pub async fn start(dir: &Path, size: usize) -> Result<Self, ServerError> {
        let directory = Directory::open(dir)?;
        let [port] = free_ports().ok_or(ServerError::NoPort { server: SERVER })?;
        let log = || directory.log("epmd.log");
        let environment = vec![("PATH", SYSTEM_PATH.to_owned())];
        let epmd = start_epmd(port, environment, (log()?, log()?)).await?;
        directory.record(&[&epmd])?;
        let shared = Shared {
            epmd: port,
            cookie: cookie(),
            greeting: Arc::new(OnceLock::new()),
        };
        let starts =
            (0..size).map(|number| {
                let (dir, shared) = (directory.join(&format!("node-{number}")), shared.clone());
                async move {
                    PrivateRabbit::start_node(&dir, RabbitOptions::default(), Some(shared)).await
                }
            });
        let nodes = try_join_all(starts).await?;
        let cluster = Self {
            nodes,
            _epmd: epmd,
            _directory: directory,
        };
        cluster.join().await?;
        if let Some(first) = cluster.nodes.first() {
            shared.greeting.get_or_init(|| first.node.name.clone());
        }
        Ok(cluster)
    }

    async fn join(&self) -> Result<(), ServerError> {
        let Some((first, others)) = self.nodes.split_first() else {
            return Ok(());
        };
        let name = first.node.full_name();
        for node in others {
            node.control(&["stop_app"]).await?;
            node.control(&["join_cluster", &name]).await?;
            node.control(&["start_app"]).await?;
        }
        Ok(())
    }

    /// The nodes, the first one being the one that the others joined.
    pub fn nodes(&self) -> &[PrivateRabbit] {
        &self.nodes
    }

    /// The addresses of all nodes as `guest`, separated by commas.
    pub fn urls(&self) -> String {
        let urls: Vec<String> = self.nodes.iter().map(PrivateRabbit::url).collect();
        urls.join(",")
    }
}
