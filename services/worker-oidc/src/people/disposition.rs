//! What is to become of each entitlement of a person: it goes, or it stays inert by a named rule.

use sever_domain::entitlement::Entitlement;
use sever_domain::plan::Disposition;
use sever_domain::{AccountState, EntitlementKind, Intent};

use super::rules::DISABLED_ACCOUNT;

/// What is to become of an entitlement that was read while the account was in this state. Sessions, tokens and consents
/// always go, because they work without signing in.
#[must_use]
pub fn disposition(
    intent: Intent,
    account: AccountState,
    entitlement: &Entitlement,
) -> Disposition {
    let works_by_itself = matches!(
        entitlement.kind,
        EntitlementKind::Account
            | EntitlementKind::Session
            | EntitlementKind::Token
            | EntitlementKind::Grant
    );
    match intent {
        _ if works_by_itself => Disposition::MustGo,
        Intent::Remove => Disposition::MustGo,
        Intent::Disable if account.sign_in_blocked() => Disposition::Inert {
            rule: DISABLED_ACCOUNT.to_owned(),
        },
        Intent::Disable => Disposition::Blocked {
            reason: "it can be used as long as the account can sign in".to_owned(),
        },
    }
}
