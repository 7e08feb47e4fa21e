//! One inspection of an integration.

use serde_json::json;
use sever_domain::EntitlementKind;
use sever_domain::entitlement::{AccountReading, Entitlement};
use sever_domain::{AccountState, OutcomeClass};
use sever_provider::CallError;

use super::families;
use super::find::look_up;
use crate::errors::Refused;
use crate::pushed;
use crate::reading::{complete, outcome, unsupported};
use crate::tenant::Tenant;

/// Reads everything.
///
/// # Errors
/// The integration's own read failing; credentials, rate and shutting down as they come.
pub async fn inspect(tenant: &Tenant, id: &str) -> Result<AccountReading, CallError> {
    let Some(found) = look_up(tenant, id).await? else {
        return Ok(AccountReading::absent(families::ALL));
    };
    let account = Entitlement {
        kind: EntitlementKind::Account,
        provider_key: id.to_owned(),
        privileged: false,
        facts: found.facts,
    };
    let kind = EntitlementKind::Resource;
    let own = tenant.connector.as_ref();
    let is_own = own.is_some_and(|own| own.application.client_id == id);
    let resources = match found.state {
        // Only our own connector pushes what the connection can read.
        _ if !is_own => complete(kind, Vec::new()),
        AccountState::Deactivated | AccountState::Absent => {
            unsupported(kind, "the connector's credentials no longer work")
        }
        AccountState::Live | AccountState::Contained => outcome(kind, sets(tenant).await)?,
    };
    Ok(AccountReading {
        account_state: found.state,
        provider_state: found.word.to_owned(),
        families: vec![complete(EntitlementKind::Account, vec![account]), resources],
    })
}

/// The sets that hold rows.
async fn sets(tenant: &Tenant) -> Result<Vec<Entitlement>, Refused> {
    let mut found = Vec::new();
    for set in tenant.connector.iter().flat_map(|own| &own.sets) {
        let rows = match pushed::read(tenant, set, None).await {
            Ok(rows) => rows,
            // It ended between two reads; the next inspection sees it as it is.
            Err(mut refused) if refused.error.class == OutcomeClass::Credentials => {
                refused.error.class = OutcomeClass::Retry;
                return Err(refused);
            }
            Err(refused) => return Err(refused),
        };
        if !rows.is_empty() {
            found.push(Entitlement {
                kind: EntitlementKind::Resource,
                provider_key: format!("{}/{}", set.kind, set.resource_id),
                privileged: false,
                facts: json!({ "type": set.kind, "resource_id": set.resource_id, "rows": rows.len() }),
            });
        }
    }
    Ok(found)
}
