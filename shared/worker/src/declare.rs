//! What this worker can do, on record before its first job.

use anyhow::Context as _;
use serde_json::Value;
use sever_domain::SubjectKind;
use sever_provider::{Capability, Connector, ConnectorFactory};
use sever_store::Store;
use sever_store::capability::declare_capabilities;

/// Declares the capabilities of both connectors; a provider without integrations declares none for them.
///
/// # Errors
/// As any statement.
pub(crate) async fn declare<F: ConnectorFactory>(store: &Store, factory: &F) -> anyhow::Result<()> {
    let kinds = [
        (SubjectKind::Person, F::People::capabilities()),
        (SubjectKind::Integration, F::Integrations::capabilities()),
    ];
    for (kind, capabilities) in kinds {
        let values = values(capabilities)?;
        declare_capabilities(store, factory.provider(), kind, &values)
            .await
            .context("declaring what this worker can do")?;
    }
    Ok(())
}

fn values(capabilities: &[Capability]) -> anyhow::Result<Vec<Value>> {
    capabilities
        .iter()
        .map(|capability| serde_json::to_value(capability).context("writing a capability"))
        .collect()
}
