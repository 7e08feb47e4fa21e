//! Members of groups, and groups of a user.

use serde_json::Value;

use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::{ApiError, Code};
use crate::okta::page::{Page, whole};
use crate::okta::state::{GroupKind, Org, Status, Via};

/// Default and largest page of the members.
const PAGE: (usize, usize) = (1000, 1000);

/// `GET /users/{user}/groups`: all of them, whoever owns the membership.
pub fn groups_of_user(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let user = org.user(&org.user_in(call, 0)?)?;
    let groups = org.groups_of(user).filter_map(|id| org.groups.get(id));
    let items: Vec<Value> = groups
        .map(|group| super::groups::to_json(call, group))
        .collect();
    Ok(whole(call, &items))
}

/// `GET /groups/{group}/users`.
pub fn list(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let group = org.group(call.argument(0))?;
    let members = org
        .members_of(&group.id)
        .filter_map(|id| org.users.get(id).map(|user| (id, user)));
    let page = Page::cut(call, &org.settings, members, PAGE)?;
    Ok(page.reply(call, |user| super::users::to_json(call, user)))
}

/// `PUT /groups/{group}/users/{user}`: a deactivated user cannot be added.
pub fn add(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let (group, user) = writable(org, call)?;
    if org.user(&user)?.status() == Status::Deprovisioned {
        return Err(Code::WrongUserStatus.into());
    }
    if !org.join_group(&user, &group, Via::Direct, call.now_ms) {
        return Ok(Reply::empty(204).unchanged());
    }
    org.log(
        call,
        "group.user_membership.add",
        vec![org.user_target(&user), org.group_target(&group)],
    );
    Ok(Reply::empty(204))
}

/// `DELETE /groups/{group}/users/{user}`: works for deactivated users too. Who came in by a rule is put on the rule's
/// list of exclusions.
pub fn remove(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let (group, user) = writable(org, call)?;
    let Some(via) = org.leave_group(&user, &group, call.now_ms) else {
        return match org.settings.unconfirmed.repeat_group_delete {
            404 => Err(ApiError::not_found(&user, "GroupMembership")),
            _ => Ok(Reply::empty(204).unchanged()),
        };
    };
    let targets = vec![org.user_target(&user), org.group_target(&group)];
    if matches!(via, Via::Rule(_)) {
        org.log(
            call,
            "group.user_membership.rule.add_exclusion",
            targets.clone(),
        );
    }
    org.log(call, "group.user_membership.remove", targets);
    Ok(Reply::empty(204))
}

/// Group and user of the path, where Okta owns the membership: E0000060 for built-in groups, E0000006 for those of apps.
fn writable(org: &Org, call: &Call) -> Result<(String, String), ApiError> {
    let group = org.group(call.argument(0))?;
    match group.kind {
        GroupKind::OktaGroup => Ok((group.id.clone(), org.user_in(call, 1)?)),
        GroupKind::AppGroup => Err(Code::Forbidden.into()),
        GroupKind::BuiltIn => Err(Code::Unsupported.into()),
    }
}
