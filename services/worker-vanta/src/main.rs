//! The Vanta worker: the shared runtime with the Vanta connector.

use sever_worker_vanta::VantaFactory;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    sever_worker::serve(
        "worker-vanta",
        sever_config::ports::WORKER_VANTA_OPS,
        VantaFactory::default(),
    )
    .await
}
