//! The OIDC worker: the shared runtime with the OpenID provider connectors.

use sever_worker_oidc::OidcFactory;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    sever_worker::serve(
        "worker-oidc",
        sever_config::ports::WORKER_OIDC_OPS,
        OidcFactory::default(),
    )
    .await
}
