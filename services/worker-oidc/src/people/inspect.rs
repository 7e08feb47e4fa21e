//! One inspection at Keycloak: every family of one account, read side by side.

use sever_domain::EntitlementKind as Kind;
use sever_domain::entitlement::{AccountReading, Entitlement, FamilyReading};
use sever_provider::CallError;

use super::account::{User, user_by_id};
use super::families::{self, Consents};
use super::{KEYCLOAK, OidcPeople};
use crate::issuer::Refused;
use crate::reading::{complete, outcome, unsupported};
use crate::registered::Known;
use crate::roles;

/// Reads everything. The account's own read decides whether there is anything else to read, but runs beside the others:
/// at rest they cost one round trip together.
///
/// # Errors
/// Credentials, rate and shutting down as they come; the account's own read failing.
pub async fn inspect(people: &OidcPeople, id: &str) -> Result<AccountReading, CallError> {
    let issuer = &people.issuer;
    let (user, sessions, registered, consents, roles, groups, factors, links) = tokio::join!(
        user_by_id(issuer, id, None),
        families::sessions(issuer, id),
        people.registered.alive(issuer, id),
        families::consents(issuer, id),
        roles::read(issuer, id),
        families::groups(issuer, id),
        families::factors(issuer, id),
        families::identity_links(issuer, id),
    );
    let Some(user) = user? else {
        return Ok(AccountReading::absent(KEYCLOAK));
    };
    let (tokens, grants) = tokens_and_grants(registered, consents)?;
    Ok(AccountReading {
        account_state: user.state(),
        provider_state: user.provider_state().to_owned(),
        families: vec![
            complete(Kind::Account, vec![account(&user)]),
            outcome(Kind::Session, sessions)?,
            tokens,
            grants,
            outcome(Kind::Role, roles.map(Option::unwrap_or_default))?,
            outcome(Kind::Group, groups)?,
            outcome(Kind::Factor, factors)?,
            outcome(Kind::IdentityLink, links)?,
        ],
    })
}

/// One read shows consents and offline tokens; registered tokens come to the latter. Where either cannot be read, the
/// tokens are not read whole.
fn tokens_and_grants(
    registered: Result<Known, Refused>,
    consents: Result<Consents, Refused>,
) -> Result<(FamilyReading, FamilyReading), CallError> {
    let consents = match consents {
        Ok(consents) => consents,
        Err(refused) => {
            let again = Refused {
                meaning: refused.meaning,
                error: refused.error.clone(),
            };
            let tokens = outcome(Kind::Token, Err(refused))?;
            return Ok((tokens, outcome(Kind::Grant, Err(again))?));
        }
    };
    let tokens = match registered {
        Ok(Known::Alive(alive)) => complete(Kind::Token, [consents.offline, alive].concat()),
        // What is seen is live, whatever else is not told.
        Ok(Known::NotTold(why)) => FamilyReading {
            entitlements: consents.offline,
            ..unsupported(Kind::Token, why)
        },
        Err(refused) => outcome(Kind::Token, Err(refused))?,
    };
    Ok((tokens, complete(Kind::Grant, consents.grants)))
}

fn account(user: &User) -> Entitlement {
    Entitlement {
        kind: Kind::Account,
        provider_key: user.id.clone(),
        privileged: false,
        facts: user.facts(),
    }
}
