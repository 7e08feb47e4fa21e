//! Memberships at applications whose groups show nobody: filters know of them where they know of members at all.
//!
//! A server that ignores a filter answers with groups too. What a filter finds counts as a membership only where the same
//! filter finds nothing for a member who cannot be there.

use futures::stream::{StreamExt as _, TryStreamExt as _, iter};
use sever_domain::entitlement::Entitlement;
use uuid::Uuid;

use super::groups::Candidate;
use crate::account::takes_no_filter;
use crate::app::{App, GROUPS, Refused};
use crate::listing::{List, equals, list};

/// How many groups are asked about at once; the connection's own cap applies besides.
const AT_ONCE: usize = 8;

/// The filter for the groups of a member.
pub(super) fn by_member(user: &str) -> String {
    equals("members.value", user)
}

/// The filter for one group with a member, which some servers take alone.
fn by_group_and_member(group: &str, user: &str) -> String {
    format!("{} and {}", equals("id", group), equals("members", user))
}

/// Which of these groups, who do not say, have the user as a member; `None` where no filter tells. `found` where they are
/// what [`by_member`] found.
///
/// # Errors
/// As any list.
pub(super) async fn look_into(
    app: &App,
    user: &str,
    groups: &[Candidate],
    found: bool,
) -> Result<Option<Vec<Entitlement>>, Refused> {
    let Some(first) = groups.first() else {
        return Ok(Some(Vec::new()));
    };
    let nobody = Uuid::new_v4().to_string();
    if found && finds(app, &by_member(&nobody)).await? == Some(false) {
        return Ok(Some(groups.iter().map(Candidate::membership).collect()));
    }
    if finds(app, &by_group_and_member(&first.id, &nobody)).await? != Some(false) {
        return Ok(None);
    }
    let is_member = |group: &Candidate| by_group_and_member(&group.id, user);
    let answers: Vec<Option<bool>> = iter(groups.iter().map(is_member))
        .map(|filter| async move { finds(app, &filter).await })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let members = groups.iter().zip(&answers);
    let members: Vec<Entitlement> = members
        .filter(|(_, answer)| **answer == Some(true))
        .map(|(group, _)| group.membership())
        .collect();
    if !members.is_empty() {
        app.dialects.finds_member_of_group.learn();
    }
    // A filter that has found nobody yet may know nothing of members.
    let is_told = app.dialects.finds_member_of_group.is_known() && !answers.contains(&None);
    Ok(is_told.then_some(members))
}

/// Whether a filter finds any group; `None` where it is not taken.
async fn finds(app: &App, filter: &str) -> Result<Option<bool>, Refused> {
    let wanted = List {
        doing: "asking whether a group has the account as a member",
        endpoint: GROUPS,
        collection: "Groups",
        filter: Some(filter),
    };
    match list(app, wanted, |group| group.text("id")).await {
        Ok(found) => Ok(Some(!found.is_empty())),
        Err(refused) if takes_no_filter(refused.meaning) => Ok(None),
        Err(refused) => Err(refused),
    }
}
