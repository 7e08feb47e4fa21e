//! The directory's audit log.

use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::page;
use crate::entra::state::Tenant;
use crate::exchange::Reply;

/// `GET /auditLogs/directoryAudits`.
pub fn list(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let events = tenant
        .audits
        .shown(call.now_ms, tenant.settings.audit_lag_ms);
    page::reply(&tenant.settings, call, "auditLogs/directoryAudits", events)
}
