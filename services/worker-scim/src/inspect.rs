//! One inspection: every family of one account.

use sever_domain::EntitlementKind as Kind;
use sever_domain::entitlement::{AccountReading, Entitlement, FamilyReading};
use sever_provider::CallError;

use crate::account::user_by_id;
use crate::app::App;
use crate::families::{self, Memberships};
use crate::user::User;
use crate::values;

/// Reads everything.
///
/// # Errors
/// Credentials, rate and shutting down as they come; the account's own read failing.
pub async fn inspect(app: &App, id: &str) -> Result<AccountReading, CallError> {
    let Some(user) = user_by_id(app, id, None).await? else {
        return Ok(AccountReading::absent(families::ALL));
    };
    let groups = match families::read_groups(app, &user).await {
        Ok(Memberships::NotShown(seen)) => FamilyReading {
            entitlements: seen,
            ..families::unsupported(Kind::Group, "no group shows its members")
        },
        Ok(Memberships::Read(all)) => families::seen(Kind::Group, all),
        Err(refused) => families::outcome(Kind::Group, Err(refused))?,
    };
    Ok(AccountReading {
        account_state: user.state(app),
        provider_state: user.provider_state().to_owned(),
        families: vec![
            families::complete(Kind::Account, vec![account(&user)]),
            families::unsupported(Kind::Session, "the standard knows no sessions"),
            families::seen(Kind::Role, values::read(&user, Kind::Role)),
            families::seen(Kind::Licence, values::read(&user, Kind::Licence)),
            groups,
        ],
    })
}

fn account(user: &User) -> Entitlement {
    Entitlement {
        kind: Kind::Account,
        provider_key: user.id.clone(),
        privileged: false,
        facts: user.facts(),
    }
}
