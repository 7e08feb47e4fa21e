//! What Vanta's documents let us conclude about integrations where there is no read.

use sever_domain::closing::ImpliedRule;
use sever_domain::{AccountState, EntitlementKind};

/// The rule under which rows stay that nobody can read any more.
pub const ROWS_ARE_REPORTS: &str = "vanta.pushed_rows_are_reports";

/// Every implied rule; at most one for a family and an account state.
pub const IMPLIED: &[ImpliedRule] = &[ImpliedRule {
    name: ROWS_ARE_REPORTS,
    family: EntitlementKind::Resource,
    account_states: &[AccountState::Deactivated, AccountState::Absent],
    after: None,
    says: "What a connector pushed describes other systems and opens nothing; once its credentials are refused it can \
        push and read nothing more (API reference 'Build Integrations').",
}];
