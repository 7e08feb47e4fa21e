//! Group memberships: taking a user out of a group, and putting one back.
//!
//! The form `{"op": "remove", "path": "members", "value": [...]}` is never sent: the standard has no value there, and an
//! application that follows it takes everybody out.

use serde_json::{Value, json};
use sever_provider::http::{Method, Reply};
use sever_provider::{Answer, CallError};
use tokio::time::Instant;

use crate::activate::{after_write, already, not_applied};
use crate::app::{App, Ask, GROUPS, Refused, Write, inconsistent, unusable};
use crate::document::{Document, member, member_id, text_of};
use crate::errors::Meaning;
use crate::patch;
use crate::privilege::sounds_privileged;

const REMOVING: &str = "ending a group membership";

/// A form of the removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// PATCH `remove` with a path that picks the member.
    Picking,
    /// PATCH `replace` with the members who stay.
    Replace,
    /// PUT of the whole group.
    Put,
}

const FORMS: [Form; 3] = [Form::Picking, Form::Replace, Form::Put];

/// What a group shows of one user's membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The user is a member.
    Member,
    /// Members, and the user is none of them.
    Others,
    /// An empty list: of a group without members, or of any group at an application that keeps them back.
    Nobody,
    /// No list, or members without their ids: it may be anything.
    Nothing,
}

/// A group as it was read.
#[derive(Debug)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// Everything that came.
    pub document: Document,
    /// The version for `If-Match`.
    pub version: Option<String>,
}

impl Group {
    /// The group in a document; `None` where it has no id.
    #[must_use]
    pub fn of(document: Document, header_version: Option<&str>) -> Option<Self> {
        let meta_version = || {
            let meta = document.get("meta")?.as_object()?;
            member(meta, "version").and_then(text_of)
        };
        Some(Self {
            id: document.text("id")?,
            version: header_version.map(str::to_owned).or_else(meta_version),
            document,
        })
    }

    /// What it shows of its members.
    #[must_use]
    pub fn shows(&self, user: &str) -> Shown {
        let Some(members) = self.document.items("members") else {
            return Shown::Nothing;
        };
        let ids: Vec<Option<String>> = members.into_iter().map(member_id).collect();
        if ids.iter().flatten().any(|id| id == user) {
            return Shown::Member;
        }
        match (ids.is_empty(), ids.iter().all(Option::is_some)) {
            (true, _) => Shown::Nobody,
            (false, true) => Shown::Others,
            (false, false) => Shown::Nothing,
        }
    }

    /// Whether the user is a member; `None` where it is not told.
    fn has(&self, user: &str) -> Option<bool> {
        match self.shows(user) {
            Shown::Member => Some(true),
            Shown::Others | Shown::Nobody => Some(false),
            Shown::Nothing => None,
        }
    }

    /// Whether its name speaks of power over the application.
    #[must_use]
    pub fn sounds_privileged(&self) -> bool {
        sounds_privileged(&[&self.document.text("displayName").unwrap_or_default()])
    }

    fn others(&self, user: &str) -> Value {
        let members = self.document.items("members").unwrap_or_default();
        let others = members
            .into_iter()
            .filter(|item| member_id(item).as_deref() != Some(user));
        others.cloned().collect()
    }
}

/// Reads one group; `None` where there is none.
///
/// # Errors
/// As any read.
pub async fn group_by_id(
    app: &App,
    id: &str,
    until: Option<Instant>,
) -> Result<Option<Group>, Refused> {
    const DOING: &str = "reading a group";
    let ask = Ask {
        doing: DOING,
        endpoint: GROUPS,
        path: &["Groups", id],
        query: &[],
    };
    match app.document(ask, until).await {
        Ok((document, reply)) => match Group::of(document, reply.header("etag")) {
            Some(group) if group.id == id => Ok(Some(group)),
            _ => Err(inconsistent(DOING, "the answer is not the group asked for").into()),
        },
        Err(refused) if refused.meaning == Meaning::Gone => Ok(None),
        Err(refused) => Err(refused),
    }
}

/// Takes a user out of a group, in the form that the application takes. A second read decides; they share one deadline.
///
/// # Errors
/// What stops the ladder; class `NeedsPerson` where no form had the effect, or where the only one left could undo what
/// somebody else changes in the same moment.
pub async fn remove(
    app: &App,
    user: &str,
    group: &str,
    until: Instant,
) -> Result<Answer, CallError> {
    let mut kept_back = false;
    for (at, form) in app.dialects.members.order(&FORMS) {
        let sent = match form {
            Form::Picking => {
                let path = patch::picking("members", user);
                let json = patch::at("remove", &path, &Value::Null);
                app.write_group(removing(Method::PATCH, group, json, None), until)
                    .await
                    .map(Some)
            }
            form => match whole(app, user, group, form, until).await? {
                Whole::Sent(sent) => sent.map(Some),
                Whole::Settled => return Ok(already(200)),
                Whole::Unsafe => {
                    kept_back = true;
                    Ok(None)
                }
            },
        };
        let reply = match sent {
            Ok(Some(reply)) => reply,
            Ok(None) => continue,
            Err(refused) => match refused.meaning {
                Meaning::NoTarget => return Ok(refused.already()),
                Meaning::WrongForm | Meaning::NoMethod | Meaning::NoFilter => {
                    app.dialects.members.failed(at);
                    continue;
                }
                Meaning::Gone if is_out(app, user, group, until).await.map_err(not_applied)? => {
                    return Ok(refused.already());
                }
                Meaning::Gone => {
                    app.dialects.members.failed(at);
                    continue;
                }
                _ => {
                    app.dialects.members.ended(at, &refused.error);
                    return Err(refused.error);
                }
            },
        };
        if is_out(app, user, group, until).await.map_err(after_write)? {
            app.dialects.members.proven(at);
            return Ok(app.done(&reply));
        }
        app.dialects.members.failed(at);
    }
    let what = if kept_back {
        "the application takes whole lists of members only and gives no versions: somebody must take the member out \
            there, or set replaces_members in the credential document"
    } else {
        "no form of removing a member had the effect"
    };
    Err(unusable(REMOVING, what.to_owned()))
}

/// What writing a whole list came to.
enum Whole {
    Sent(Result<Reply, Refused>),
    Settled,
    Unsafe,
}

/// Reads the group and writes it without the user; under its version, or where the organisation said that it may be.
async fn whole(
    app: &App,
    user: &str,
    group: &str,
    form: Form,
    until: Instant,
) -> Result<Whole, CallError> {
    let _one = app.one_writer.lock().await;
    let read = group_by_id(app, group, Some(until)).await;
    let read = read.map_err(|refused| not_applied(refused.error))?;
    let Some(mut found) = read else {
        return Ok(Whole::Settled);
    };
    match found.has(user) {
        Some(true) => {}
        Some(false) => return Ok(Whole::Settled),
        // Members that are not shown cannot be sent back.
        None => return Ok(Whole::Unsafe),
    }
    if found.version.is_none() && !app.replaces_members {
        return Ok(Whole::Unsafe);
    }
    let others = found.others(user);
    let (method, json) = match form {
        Form::Put => {
            found.document.set("members", others);
            (Method::PUT, Value::Object(found.document.0))
        }
        Form::Replace | Form::Picking => (Method::PATCH, patch::at("replace", "members", &others)),
    };
    let write = removing(method, group, json, found.version);
    Ok(Whole::Sent(app.write_group(write, until).await))
}

fn removing(method: Method, group: &str, json: Value, version: Option<String>) -> Write<'_> {
    Write {
        doing: REMOVING,
        method,
        id: group,
        json: Some(json),
        version,
    }
}

/// Whether a read shows that the user is out, or the group is gone. Members that are not shown do not speak against it:
/// the closing inspection reads the user's own groups.
async fn is_out(app: &App, user: &str, group: &str, until: Instant) -> Result<bool, CallError> {
    let found = group_by_id(app, group, Some(until)).await;
    let found = found.map_err(|refused| refused.error)?;
    Ok(found.is_none_or(|found| found.has(user) != Some(true)))
}

/// Puts a user back into a group.
///
/// # Errors
/// By what the answer means.
pub async fn add(app: &App, user: &str, group: &str, until: Instant) -> Result<Answer, CallError> {
    const DOING: &str = "adding to a group";
    let members = json!([{ "value": user }]);
    let forms = [
        patch::at("add", "members", &members),
        patch::pathless_add("members", &members),
    ];
    let mut last = None;
    for json in forms {
        let write = Write {
            doing: DOING,
            method: Method::PATCH,
            id: group,
            json: Some(json),
            version: None,
        };
        match app.write_group(write, until).await {
            Ok(reply) => return Ok(app.done(&reply)),
            Err(refused) if refused.meaning == Meaning::Gone => {
                return Err(unusable(
                    DOING,
                    "the group does not exist any more".to_owned(),
                ));
            }
            Err(refused) if refused.meaning == Meaning::WrongForm => last = Some(refused.error),
            Err(refused) => return Err(refused.error),
        }
    }
    Err(last.unwrap_or_else(|| unusable(DOING, "no form was taken".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(value: Value) -> Group {
        Group::of(Document::of(value).unwrap(), None).unwrap()
    }

    #[test]
    fn members_are_told_apart_from_no_answer() {
        let shown = group(
            json!({"Id": "g", "Members": [{"Value": "u1"}, "u2"], "meta": {"version": "W/\"3\""}}),
        );
        assert_eq!(
            (shown.has("u1"), shown.has("u2"), shown.has("U1")),
            (Some(true), Some(true), Some(false))
        );
        assert_eq!(shown.version.as_deref(), Some("W/\"3\""));
        assert_eq!(shown.others("u1"), json!(["u2"]));
        for (members, expected) in [
            (json!(null), Shown::Nothing),
            (json!([]), Shown::Nobody),
            (json!([{ "display": "Ada" }]), Shown::Nothing),
            (json!([{ "value": "u2" }]), Shown::Others),
            (json!([{ "value": "u1" }]), Shown::Member),
        ] {
            let group = group(json!({ "id": "g", "members": members }));
            assert_eq!(group.shows("u1"), expected, "{members}");
        }
    }
}
