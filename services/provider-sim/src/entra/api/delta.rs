//! Delta queries: everything once, then what changed since.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::render;
use crate::entra::state::{Kind, Table, Tenant};
use crate::exchange::Reply;

/// What a delta or skip token of this kind of query means.
struct Token {
    /// Changes up to this position are known.
    seq: u64,
    /// When it was given.
    at_ms: i64,
    /// Tokens of earlier epochs are refused.
    epoch: u64,
    /// Within the first round: the last id of the page before.
    after: Option<String>,
    select: String,
}

/// `GET /users/delta`.
pub fn users(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    delta(tenant, call, Kind::User)
}

/// `GET /groups/delta`.
pub fn groups(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    delta(tenant, call, Kind::Group)
}

/// `GET /servicePrincipals/delta`.
pub fn service_principals(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    delta(tenant, call, Kind::ServicePrincipal)
}

/// `GET /applications/delta`.
pub fn applications(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    delta(tenant, call, Kind::Application)
}

fn delta(tenant: &mut Tenant, call: &Call, kind: Kind) -> Result<Reply, ApiError> {
    if ["$top", "$expand", "$orderby"]
        .iter()
        .any(|name| call.parameter(name).is_some())
    {
        return Err(ApiError::unsupported_query());
    }
    let now = Token {
        seq: tenant.store.last_change(),
        at_ms: call.now_ms,
        epoch: tenant.delta_epoch,
        after: None,
        select: call.parameter("$select").unwrap_or_default().to_owned(),
    };
    match (call.parameter("$deltatoken"), call.parameter("$skiptoken")) {
        (Some("latest"), _) => Ok(answer(call, Vec::new(), "deltaLink", &now)),
        (Some(text), _) => changes(tenant, call, kind, known(tenant, call, text)?),
        (None, Some(text)) => first_round(tenant, call, kind, known(tenant, call, text)?),
        (None, None) => first_round(tenant, call, kind, now),
    }
}

/// The whole collection, page after page; what changes meanwhile comes with the delta link.
fn first_round(tenant: &Tenant, call: &Call, kind: Kind, token: Token) -> Result<Reply, ApiError> {
    let rows = tenant.store.all(kind.table());
    let after = token.after.clone().unwrap_or_default();
    let mut rest = rows.into_iter().filter(|row| row.id > after);
    let size = tenant.settings.page_size.min(tenant.settings.page_size_max);
    let page: Vec<_> = rest.by_ref().take(size).collect();
    let items = page.iter().map(|row| {
        selected(
            render::object(tenant, call, kind, &row.id, &row.record),
            &token.select,
        )
    });
    let items = items.collect();
    let more = rest.next().is_some();
    let next = Token {
        after: page.last().map(|row| row.id.clone()).filter(|_| more),
        ..token
    };
    let relation = if more { "nextLink" } else { "deltaLink" };
    Ok(answer(call, items, relation, &next))
}

fn changes(tenant: &Tenant, call: &Call, kind: Kind, token: Token) -> Result<Reply, ApiError> {
    let mut ids: Vec<String> = Vec::new();
    for change in tenant.store.changes_after(kind.table(), token.seq) {
        if !ids.contains(&change.id) {
            ids.push(change.id);
        }
    }
    if tenant.settings.delta_disorder {
        let again = ids.clone();
        ids.reverse();
        ids.extend(again);
    }
    let items = ids.iter().map(|id| {
        if let Some(record) = tenant.store.object(kind.table(), id) {
            return selected(
                render::object(tenant, call, kind, id, &record),
                &token.select,
            );
        }
        let restorable = tenant.store.object(Table::Deleted, id).is_some();
        let reason = if restorable { "changed" } else { "deleted" };
        json!({ "id": id, "@removed": { "reason": reason } })
    });
    let mut items: Vec<Value> = items.collect();
    if kind == Kind::Group && (token.select.is_empty() || token.select.contains("members")) {
        add_members(tenant, &token, &mut items);
    }
    let next = Token {
        seq: tenant.store.last_change(),
        at_ms: call.now_ms,
        epoch: tenant.delta_epoch,
        after: None,
        select: token.select,
    };
    Ok(answer(call, items, "deltaLink", &next))
}

/// `members@delta` of the groups whose members changed, of those that changed otherwise too. A group that is gone names nobody.
fn add_members(tenant: &Tenant, token: &Token, items: &mut Vec<Value>) {
    let changes = tenant.store.changes_after(Table::Members, token.seq);
    let edges: BTreeSet<String> = changes.into_iter().map(|change| change.id).collect();
    for edge in &edges {
        let Some((group, member)) = edge.split_once('|') else {
            continue;
        };
        if tenant.store.object(Table::Groups, group).is_none() {
            continue;
        }
        let mut entry = json!({ "id": member });
        if let Some(kind) = tenant.kind_of(member) {
            entry["@odata.type"] = json!(format!("#{}", kind.cast()));
        }
        if tenant.store.get(Table::Members, member, group).is_none() {
            entry["@removed"] = json!({ "reason": "deleted" });
        }
        let at = items.iter().position(|item| item["id"] == group);
        let at = at.unwrap_or_else(|| {
            items.push(json!({ "id": group }));
            items.len() - 1
        });
        match items[at]["members@delta"].as_array_mut() {
            Some(members) => members.push(entry),
            None => items[at]["members@delta"] = json!([entry]),
        }
    }
}

/// The token that `text` is.
///
/// # Errors
/// 410 for one that is too old, 400 for one that is none.
fn known(tenant: &Tenant, call: &Call, text: &str) -> Result<Token, ApiError> {
    let token = Token::decoded(text).ok_or_else(|| ApiError::bad_request("Badly formed token."))?;
    let age_ms = call.now_ms - token.at_ms;
    if token.epoch < tenant.delta_epoch || age_ms > tenant.settings.delta_token_lifetime_s * 1000 {
        let message = "Resync is required. The delta token is too old.";
        return Err(ApiError::new(410, "resyncRequired", message));
    }
    Ok(token)
}

fn answer(call: &Call, items: Vec<Value>, relation: &str, token: &Token) -> Reply {
    let name = if relation == "nextLink" {
        "$skiptoken"
    } else {
        "$deltatoken"
    };
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair(name, &token.encoded())
        .finish();
    let mut body = json!({ "@odata.context": call.context("directoryObjects"), "value": items });
    body[format!("@odata.{relation}")] = json!(format!("{}{}?{query}", call.base, call.path));
    Reply::json(200, &body)
}

fn selected(mut value: Value, select: &str) -> Value {
    let names: Vec<&str> = select.split(',').filter(|name| !name.is_empty()).collect();
    if let (false, Value::Object(members)) = (names.is_empty(), &mut value) {
        members.retain(|name, _| name == "id" || names.contains(&name.as_str()));
    }
    value
}

impl Token {
    fn encoded(&self) -> String {
        let after = self.after.as_deref().unwrap_or_default();
        URL_SAFE_NO_PAD.encode(format!(
            "{}|{}|{}|{after}|{}",
            self.seq, self.at_ms, self.epoch, self.select
        ))
    }

    fn decoded(text: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let parts: Vec<&str> = text.split('|').collect();
        let [seq, at_ms, epoch, after, select] = parts[..] else {
            return None;
        };
        Some(Self {
            seq: seq.parse().ok()?,
            at_ms: at_ms.parse().ok()?,
            epoch: epoch.parse().ok()?,
            after: Some(after.to_owned()).filter(|after| !after.is_empty()),
            select: select.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_what_it_was_made_of() {
        let token = Token {
            seq: 7,
            at_ms: 9,
            epoch: 0,
            after: Some("u1".into()),
            select: "id,accountEnabled".into(),
        };
        let read = Token::decoded(&token.encoded()).unwrap();
        assert_eq!(
            (read.seq, read.at_ms, read.after.as_deref()),
            (7, 9, Some("u1"))
        );
        assert_eq!(read.select, "id,accountEnabled");
        assert!(Token::decoded("nonsense").is_none());
    }
}
