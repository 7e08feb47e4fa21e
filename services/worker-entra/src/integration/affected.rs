//! Who loses access with an integration: people who were assigned, by themselves or by a group, or who consented.

use std::collections::HashSet;

use sever_domain::EntitlementKind as Kind;
use sever_domain::entitlement::{AccountReading, FamilyResult};
use sever_provider::{BlastRadius, CallError};

use super::principal::is_microsofts;
use crate::errors::Meaning;
use crate::families::text;
use crate::paging::list;
use crate::tenant::{Ask, Tenant};

/// Counts whom the removal of what was read affects. Groups count with their direct members; the count is not complete where
/// a group holds groups, where everybody may use the application, or where a family was not read.
///
/// # Errors
/// As any read.
pub async fn count(tenant: &Tenant, reading: &AccountReading) -> Result<BlastRadius, CallError> {
    let mut people: HashSet<String> = HashSet::new();
    let (mut groups, mut applications) = (0, 0);
    let mut complete = is_assignment_required(reading)
        && reading
            .families
            .iter()
            .filter(|family| matches!(family.family, Kind::Consumer | Kind::Grant))
            .all(|family| family.result == FamilyResult::Complete);
    for held in reading.of(Kind::Consumer) {
        let id = text(&held.facts, "principal");
        match text(&held.facts, "principal_type") {
            "User" => {
                people.insert(id.to_owned());
            }
            "Group" => {
                groups += 1;
                complete &= members(tenant, id, &mut people).await?;
            }
            _ => applications += 1,
        }
    }
    for held in reading.of(Kind::Grant) {
        match text(&held.facts, "principal") {
            "" => complete = false,
            id => {
                people.insert(id.to_owned());
            }
        }
    }
    Ok(BlastRadius {
        people: people.len() as u64,
        groups,
        applications,
        complete,
        // Everybody signs in through Microsoft's own applications.
        last_sign_in_path: is_microsofts(reading),
    })
}

fn is_assignment_required(reading: &AccountReading) -> bool {
    let account = reading.of(Kind::Account).first();
    account.is_some_and(|account| account.facts["assignment_required"] == true)
}

/// Adds a group's people; says whether these are all.
async fn members(
    tenant: &Tenant,
    group: &str,
    people: &mut HashSet<String>,
) -> Result<bool, CallError> {
    let ask = Ask::new(
        "counting a group's members",
        "members",
        &["groups", group, "members"],
    )
    .with("$select", "id")
    .with("$top", "999");
    let items = match list(tenant, &ask).await {
        Ok(items) => items,
        Err(refused) if matches!(refused.meaning, Meaning::Gone | Meaning::Denied) => {
            return Ok(false);
        }
        Err(refused) => return Err(refused.error),
    };
    let mut all = true;
    for item in &items {
        match text(item, "@odata.type") {
            "#microsoft.graph.user" => {
                people.insert(text(item, "id").to_owned());
            }
            "#microsoft.graph.group" => all = false,
            _ => {}
        }
    }
    Ok(all)
}
