//! Paging: `pageSize`, `pageCursor`, and the envelope that every list has.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::exchange::Reply;
use crate::vanta::call::Call;
use crate::vanta::error::ApiError;
use crate::vanta::settings::{PageRepeats, Settings};

/// Default and largest page.
const SIZE: (usize, usize) = (10, 100);

/// What a cursor means: everything after the item with this key, for the n-th time.
#[derive(Debug, Clone, Default)]
struct Cursor {
    after: String,
    repeats: u32,
}

/// The page that `call` asks for out of `items`, which come in the order of their keys.
///
/// # Errors
/// 400 for a `pageSize` outside 1 to 100, or a cursor of another list.
pub fn page<K: AsRef<str>, T>(
    call: &Call,
    settings: &Settings,
    items: impl Iterator<Item = (K, T)>,
    to_json: impl Fn(&T) -> Value,
) -> Result<Reply, ApiError> {
    let size = size(call, settings)?;
    let cursor = Cursor::of(call)?;
    let start = cursor.after.clone();
    let mut rest = items.skip_while(|(key, _)| !start.is_empty() && key.as_ref() <= start.as_str());
    let mut data = Vec::new();
    let mut keys: Vec<String> = Vec::new();
    for (key, item) in rest.by_ref().take(size) {
        keys.push(key.as_ref().to_owned());
        data.push(to_json(&item));
    }
    let has_next = rest.next().is_some();
    let has_previous = !cursor.after.is_empty();
    let last = keys.last().cloned();
    let end = match (last, has_next) {
        (Some(last), true) => Some(cursor.following(last, settings.page_repeats).encoded()),
        (Some(after), false) => Some(Cursor { after, repeats: 0 }.encoded()),
        (None, _) => None,
    };
    let first = keys.into_iter().next();
    let start = first.map(|after| Cursor { after, repeats: 0 }.encoded());
    let info = json!({
        "endCursor": end, "hasNextPage": has_next, "hasPreviousPage": has_previous, "startCursor": start,
    });
    Ok(Reply::json(
        200,
        &json!({ "results": { "data": data, "pageInfo": info } }),
    ))
}

fn size(call: &Call, settings: &Settings) -> Result<usize, ApiError> {
    let (default, max) = SIZE;
    let asked = match call.parameter("pageSize") {
        None => default,
        Some(text) => text
            .parse()
            .ok()
            .filter(|size| (1..=max).contains(size))
            .ok_or_else(|| ApiError::invalid("pageSize", "must be 1 to 100"))?,
    };
    Ok(asked.min(settings.page_size_max.unwrap_or(max)))
}

impl Cursor {
    fn of(call: &Call) -> Result<Self, ApiError> {
        let Some(text) = call.parameter("pageCursor").filter(|text| !text.is_empty()) else {
            return Ok(Self::default());
        };
        let invalid = || ApiError::invalid("pageCursor", "is not a cursor of this list");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let text = String::from_utf8(bytes).map_err(|_| invalid())?;
        let (repeats, after) = text.split_once(':').ok_or_else(invalid)?;
        Ok(Self {
            after: after.to_owned(),
            repeats: repeats.parse().map_err(|_| invalid())?,
        })
    }

    fn following(self, last: String, repeats: PageRepeats) -> Self {
        match repeats {
            PageRepeats::Twice if self.repeats == 0 => Self { repeats: 1, ..self },
            // The cursor stays the same too: the guard that the documents ask for sees it.
            PageRepeats::Forever => Self { repeats: 1, ..self },
            PageRepeats::Off | PageRepeats::Twice => Self {
                after: last,
                repeats: 0,
            },
        }
    }

    fn encoded(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}:{}", self.repeats, self.after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Incoming;

    fn pages(settings: &Settings, size: &str) -> Vec<Vec<u64>> {
        let keyed: Vec<(String, u32)> = (0..5).map(|n| (format!("k{n}"), n)).collect();
        let mut query = format!("pageSize={size}");
        let mut pages = Vec::new();
        while pages.len() < 10 {
            let incoming = Incoming {
                method: hyper::Method::GET,
                path: String::new(),
                query_text: query,
                headers: hyper::HeaderMap::new(),
                body: bytes::Bytes::new(),
            };
            let call = Call::new(incoming, "/v1/people".into(), vec![], 0);
            let items = keyed.iter().map(|(key, n)| (key, *n));
            let reply = page(&call, settings, items, |n| json!(n)).unwrap();
            let body: Value = serde_json::from_slice(&reply.body).unwrap();
            let data = body["results"]["data"].as_array().unwrap();
            pages.push(data.iter().map(|n| n.as_u64().unwrap()).collect());
            let info = &body["results"]["pageInfo"];
            if info["hasNextPage"] == false {
                break;
            }
            query = format!(
                "pageSize={size}&pageCursor={}",
                info["endCursor"].as_str().unwrap()
            );
        }
        pages
    }

    #[test]
    fn pages_cover_the_list_once_and_may_come_again() {
        let off = Settings::default();
        assert_eq!(pages(&off, "2"), [vec![0, 1], vec![2, 3], vec![4]]);
        assert_eq!(pages(&off, "5"), [vec![0, 1, 2, 3, 4]]);
        let twice = Settings {
            page_repeats: PageRepeats::Twice,
            ..Settings::default()
        };
        assert_eq!(
            pages(&twice, "3"),
            [vec![0, 1, 2], vec![0, 1, 2], vec![3, 4]]
        );
        let forever = Settings {
            page_repeats: PageRepeats::Forever,
            ..Settings::default()
        };
        assert_eq!(pages(&forever, "3").len(), 10);
    }
}
