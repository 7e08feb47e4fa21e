//! The Entra worker: the shared runtime with the Entra connectors.

use sever_worker_entra::EntraFactory;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    sever_worker::serve(
        "worker-entra",
        sever_config::ports::WORKER_ENTRA_OPS,
        EntraFactory::default(),
    )
    .await
}
