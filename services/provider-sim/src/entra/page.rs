//! Lists: filtered, cut into pages, with an absolute and opaque `nextLink`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::query;
use crate::entra::settings::{PageRepeats, Settings};
use crate::exchange::Reply;

/// What a skip token means: what follows the item with this id, for the n-th time, after an empty page or before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Cursor {
    after: String,
    repeats: u32,
    empty_done: bool,
}

/// The answer to a list call of Graph: `items` filtered, in the order of their ids, one page of them. `context` is what
/// `@odata.context` ends with.
pub fn reply(
    settings: &Settings,
    call: &Call,
    context: &str,
    items: Vec<Value>,
) -> Result<Reply, ApiError> {
    reply_with(settings, call, context, items, None)
}

/// As [`reply`]; without `$select` only the members in `default` are shown.
pub fn reply_with(
    settings: &Settings,
    call: &Call,
    context: &str,
    mut items: Vec<Value>,
    default: Option<&[&str]>,
) -> Result<Reply, ApiError> {
    items.sort_by(|a, b| id(a).cmp(id(b)));
    shown(settings, call, context, items, default)
}

/// As [`reply`], in the order in which the items are given.
pub fn reply_in_order(
    settings: &Settings,
    call: &Call,
    context: &str,
    items: Vec<Value>,
) -> Result<Reply, ApiError> {
    shown(settings, call, context, items, None)
}

fn shown(
    settings: &Settings,
    call: &Call,
    context: &str,
    items: Vec<Value>,
    default: Option<&[&str]>,
) -> Result<Reply, ApiError> {
    let filter = query::filter(call, settings)?;
    let passing: Vec<Value> = items
        .into_iter()
        .filter(|item| filter.as_ref().is_none_or(|filter| filter.passes(item)))
        .collect();
    let count = passing.len();
    let (items, next) = cut(settings, call, passing)?;
    let shown: Vec<Value> = items
        .iter()
        .map(|item| selected(call, item, default))
        .collect();
    let mut body = json!({ "@odata.context": call.context(context) });
    if call.parameter("$count") == Some("true") {
        body["@odata.count"] = json!(count);
    }
    if let Some(next) = next {
        body["@odata.nextLink"] = json!(address(call, "$skiptoken", &next));
    }
    body["value"] = Value::Array(shown);
    Ok(Reply::json(200, &body))
}

/// The answer to a list call of Azure Resource Manager.
pub fn reply_azure(
    settings: &Settings,
    call: &Call,
    mut items: Vec<Value>,
) -> Result<Reply, ApiError> {
    items.sort_by(|a, b| id(a).cmp(id(b)));
    let (items, next) = cut(settings, call, items)?;
    let mut body = json!({ "value": items });
    if let Some(next) = next {
        body["nextLink"] = json!(address(call, "$skipToken", &next));
    }
    Ok(Reply::json(200, &body))
}

/// The page of `items` that `call` asks for, and the token of the next one.
fn cut(
    settings: &Settings,
    call: &Call,
    items: Vec<Value>,
) -> Result<(Vec<Value>, Option<String>), ApiError> {
    let size = size(settings, call)?;
    let cursor = Cursor::of(call)?;
    let last = items.iter().position(|item| id(item) == cursor.after);
    let begins = match last {
        Some(last) => last + 1,
        None if cursor.after.is_empty() => 0,
        // What the page before ended with has gone: the ids say where that was.
        None => items.partition_point(|item| id(item) <= cursor.after.as_str()),
    };
    let rest: Vec<Value> = items.into_iter().skip(begins).collect();
    if settings.empty_pages && !cursor.after.is_empty() && !cursor.empty_done {
        let next = Cursor {
            empty_done: true,
            ..cursor
        };
        return Ok((Vec::new(), Some(next.encoded())));
    }
    let more = rest.len() > size;
    let page: Vec<Value> = rest.into_iter().take(size).collect();
    let last = page.last().map(|item| id(item).to_owned());
    let next = last
        .filter(|_| more)
        .map(|last| cursor.following(last, settings.page_repeats).encoded());
    Ok((page, next))
}

fn size(settings: &Settings, call: &Call) -> Result<usize, ApiError> {
    let asked = match call.parameter("$top") {
        None => settings.page_size,
        Some(text) => match text.parse() {
            Ok(top) if (1..=999).contains(&top) => top,
            _ => {
                let message = "Invalid page size specified. Must be between 1 and 999 inclusive.";
                return Err(ApiError::bad_request(message));
            }
        },
    };
    Ok(asked.min(settings.page_size_max))
}

/// `item` with the members that `$select` names; the members that say what it is are always there.
fn selected(call: &Call, item: &Value, default: Option<&[&str]>) -> Value {
    let names = query::select(call)
        .or_else(|| default.map(|names| names.iter().map(|name| (*name).to_owned()).collect()));
    let (Some(names), Value::Object(members)) = (names, item) else {
        return item.clone();
    };
    let kept = members
        .iter()
        .filter(|(name, _)| name.starts_with('@') || names.contains(name));
    Value::Object(
        kept.map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    )
}

fn id(item: &Value) -> &str {
    item["id"].as_str().unwrap_or_default()
}

/// The address of this call, with `name` set to `token`.
fn address(call: &Call, name: &str, token: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (key, value) in &call.query {
        if !key.eq_ignore_ascii_case(name) {
            query.append_pair(key, value);
        }
    }
    query.append_pair(name, token);
    format!("{}{}?{}", call.base, call.path, query.finish())
}

impl Cursor {
    fn of(call: &Call) -> Result<Self, ApiError> {
        let Some(text) = call.parameter("$skiptoken") else {
            return Ok(Self::default());
        };
        let read = || {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
            let text = String::from_utf8(bytes).ok()?;
            let (repeats, rest) = text.split_once(':')?;
            let (empty, after) = rest.split_once(':')?;
            Some(Self {
                after: after.to_owned(),
                repeats: repeats.parse().ok()?,
                empty_done: empty == "1",
            })
        };
        read().ok_or_else(|| {
            ApiError::new(
                400,
                "Directory_ExpiredPageToken",
                "The specified page token value has expired.",
            )
        })
    }

    fn following(self, last: String, repeats: PageRepeats) -> Self {
        let again = match repeats {
            PageRepeats::Off => false,
            PageRepeats::Twice => self.repeats == 0,
            PageRepeats::Forever => true,
        };
        match again {
            true => Self {
                repeats: self.repeats + 1,
                ..self
            },
            false => Self {
                after: last,
                repeats: 0,
                empty_done: false,
            },
        }
    }

    fn encoded(&self) -> String {
        let empty = u8::from(self.empty_done);
        URL_SAFE_NO_PAD.encode(format!("{}:{empty}:{}", self.repeats, self.after))
    }
}
