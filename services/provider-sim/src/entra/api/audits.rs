//! The directory's audit log: asked with `$filter` on what the documents name, newest first unless `$orderby` says otherwise.

use serde_json::Value;

use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::page;
use crate::entra::query::{self, Filter};
use crate::entra::state::Tenant;
use crate::exchange::Reply;

const DAY_MS: i64 = 86_400_000;
/// What the list needs besides the permission for the log.
const DIRECTORY: &[&str] = &["Directory.Read.All", "Directory.ReadWrite.All"];
/// The members that take `eq`; times take `ge` and `le` too, and of some the beginning can be asked for.
const FILTERABLE: [&str; 12] = [
    "id",
    "activityDateTime",
    "activityDisplayName",
    "correlationId",
    "loggedByService",
    "initiatedBy/user/id",
    "initiatedBy/user/displayName",
    "initiatedBy/user/userPrincipalName",
    "initiatedBy/app/appId",
    "initiatedBy/app/displayName",
    "targetResources/id",
    "targetResources/displayName",
];

/// `GET /auditLogs/directoryAudits`.
pub fn list(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    if !call.principal.holds(DIRECTORY) {
        return Err(ApiError::denied());
    }
    let settings = &tenant.settings;
    if !settings.audits_licensed {
        let message = "Neither tenant is B2C or tenant doesn't have premium license";
        let code = "Authentication_RequestFromNonPremiumTenantOrB2CTenant";
        return Err(ApiError::new(403, code, message));
    }
    let keep_ms = settings.audit_days * DAY_MS;
    if let Some(filter) = query::filter(call, settings)? {
        check(&filter, "")?;
        refuse_long_ago(tenant, call, &filter, keep_ms)?;
    }
    let lag_ms = settings.audit_lag_ms;
    let mut events = tenant.audits.shown(call.now_ms, lag_ms, keep_ms);
    match call.parameter("$orderby").map(str::trim) {
        None | Some("activityDateTime desc") => {}
        Some("activityDateTime" | "activityDateTime asc") => events.reverse(),
        Some(_) => return Err(ApiError::bad_request("The order is not supported.")),
    }
    page::reply_in_order(&tenant.settings, call, "auditLogs/directoryAudits", events)
}

/// Refuses what the documents do not offer.
fn check(filter: &Filter, within: &str) -> Result<(), ApiError> {
    match filter {
        Filter::And(left, right) | Filter::Or(left, right) => {
            check(left, within)?;
            check(right, within)
        }
        Filter::Any(items, inner) => check(inner, &format!("{items}/")),
        Filter::Is(member, word, _) => {
            let path = format!("{within}{member}");
            let is_time = path == "activityDateTime";
            let offered = match word.as_str() {
                "eq" => FILTERABLE.contains(&path.as_str()),
                "ge" | "le" => is_time,
                "startswith" => !is_time && FILTERABLE.contains(&path.as_str()),
                _ => false,
            };
            let unsupported = || ApiError::bad_request("Invalid filter clause.");
            offered.then_some(()).ok_or_else(unsupported)
        }
        Filter::Not(_) => Err(ApiError::bad_request("Invalid filter clause.")),
    }
}

/// What a question says that begins before the oldest event is not documented.
fn refuse_long_ago(
    tenant: &Tenant,
    call: &Call,
    filter: &Filter,
    keep_ms: i64,
) -> Result<(), ApiError> {
    let begins = query::at_least(filter, "activityDateTime").and_then(Value::as_str);
    let begins = begins.and_then(crate::clock::parse_iso);
    let long_ago = begins.is_some_and(|begins| begins < call.now_ms - keep_ms);
    match tenant.settings.unconfirmed.audits_long_ago {
        400 if long_ago => Err(ApiError::bad_request(
            "The requested time range exceeds the retention of the log.",
        )),
        _ => Ok(()),
    }
}
