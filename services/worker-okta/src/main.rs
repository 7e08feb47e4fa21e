//! The Okta worker: the shared runtime with the Okta connector.

use sever_worker_okta::OktaFactory;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    sever_worker::serve(
        "worker-okta",
        sever_config::ports::WORKER_OKTA_OPS,
        OktaFactory::default(),
    )
    .await
}
