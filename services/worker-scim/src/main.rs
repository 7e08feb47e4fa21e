//! The SCIM worker: the shared runtime with the SCIM connector.

use sever_worker_scim::ScimFactory;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    sever_worker::serve(
        "worker-scim",
        sever_config::ports::WORKER_SCIM_OPS,
        ScimFactory::default(),
    )
    .await
}
