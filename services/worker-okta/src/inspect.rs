//! One inspection: every family of one account, read side by side.

use std::time::Duration;

use sever_domain::entitlement::{AccountReading, Entitlement};
use sever_domain::{EntitlementKind, OutcomeClass};
use sever_provider::CallError;

use crate::account::user_by_id;
use crate::families;
use crate::org::{Org, unusable};
use crate::user::User;

/// How soon an account between two states is looked at again.
const TRANSITION_WAIT: Duration = Duration::from_secs(1);

/// Reads everything. The account's own read decides whether there is anything else to read, but runs
/// beside the others: at rest they cost one round trip together.
///
/// # Errors
/// Class `Wait` while an asynchronous change of the account runs; credentials, rate and shutting down as
/// they come; the account's own read failing.
pub async fn inspect(org: &Org, user_id: &str) -> Result<AccountReading, CallError> {
    let (user, tokens, grants, api_tokens, roles, groups, apps, factors, devices, links) = tokio::join!(
        user_by_id(org, user_id, None),
        families::read_tokens(org, user_id),
        families::read_grants(org, user_id),
        families::read_api_tokens(org, user_id),
        families::read_roles(org, user_id),
        families::read_groups(org, user_id),
        families::read_apps(org, user_id),
        families::read_factors(org, user_id),
        families::read_devices(org, user_id),
        families::read_identity_links(org, user_id),
    );
    let Some(user) = user? else {
        return Ok(AccountReading::absent(families::ALL));
    };
    if user.transitioning_to_status.is_some() {
        return Err(in_transition());
    }
    use EntitlementKind as Kind;
    Ok(AccountReading {
        account_state: user.state(),
        provider_state: user.status.clone(),
        families: vec![
            families::complete(Kind::Account, vec![account(&user)]),
            families::unsupported(Kind::Session, "no read lists a user's sessions"),
            families::outcome(Kind::Token, tokens)?,
            families::outcome(Kind::Grant, grants)?,
            families::outcome(Kind::ApiToken, api_tokens)?,
            families::outcome(Kind::Role, roles)?,
            families::outcome(Kind::Group, groups)?,
            families::outcome(Kind::AppAssignment, apps)?,
            families::outcome(Kind::Factor, factors)?,
            families::outcome(Kind::Device, devices)?,
            families::outcome(Kind::IdentityLink, links)?,
            families::unsupported(Kind::Ownership, "no read lists what a user owns"),
        ],
    })
}

fn account(user: &User) -> Entitlement {
    Entitlement {
        kind: EntitlementKind::Account,
        provider_key: user.id.clone(),
        privileged: false,
        facts: user.facts(),
    }
}

fn in_transition() -> CallError {
    CallError {
        class: OutcomeClass::Wait,
        retry_after: Some(TRANSITION_WAIT),
        ..unusable(
            "reading the account",
            "an asynchronous change of the account's status is under way".to_owned(),
        )
    }
}
