//! Paging: opaque cursors, `Link` headers with absolute addresses, one header line for each relation.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::header::LINK;
use serde_json::Value;
use url::form_urlencoded;

use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::ApiError;
use crate::okta::settings::{PageRepeats, Settings};

/// The part of a list that one answer carries.
#[derive(Debug)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The cursor of what follows.
    pub next: Option<String>,
}

/// What a cursor means: everything after the item with this key, for the n-th time.
struct Cursor {
    after: String,
    repeats: u32,
}

impl<T> Page<T> {
    /// Cuts the page that `call` asks for out of `items`, which come in the order of their keys. `default` and `max`
    /// are the documented page sizes.
    pub fn cut<K: AsRef<str>>(
        call: &Call,
        settings: &Settings,
        items: impl Iterator<Item = (K, T)>,
        (default, max): (usize, usize),
    ) -> Result<Self, ApiError> {
        let size = size(call, settings, default, max)?;
        let cursor = Cursor::of(call)?;
        let mut rest = items.skip_while(|(key, _)| {
            !cursor.after.is_empty() && key.as_ref() <= cursor.after.as_str()
        });
        let mut page = Self {
            items: Vec::new(),
            next: None,
        };
        let mut last = String::new();
        for (key, item) in rest.by_ref().take(size) {
            key.as_ref().clone_into(&mut last);
            page.items.push(item);
        }
        if rest.next().is_some() {
            page.next = Some(cursor.following(last, settings.page_repeats).encoded());
        }
        Ok(page)
    }

    /// The page as an answer 200: a JSON array and `Link` headers.
    pub fn reply(&self, call: &Call, to_json: impl Fn(&T) -> Value) -> Reply {
        let items: Vec<Value> = self.items.iter().map(to_json).collect();
        let reply = Reply::json(200, &items).with_header(LINK, &link(&address(call, None), "self"));
        match &self.next {
            Some(next) => reply.with_header(LINK, &link(&address(call, Some(next)), "next")),
            None => reply,
        }
    }

    /// The address of the next page, for lists that put it into the body.
    pub fn next_address(&self, call: &Call) -> Option<String> {
        self.next.as_ref().map(|next| address(call, Some(next)))
    }
}

/// A list that is always whole: a JSON array with a `self` link.
pub fn whole(call: &Call, items: &[Value]) -> Reply {
    Reply::json(200, &items).with_header(LINK, &link(&address(call, None), "self"))
}

/// `limit` of `call`, within what the list and the settings allow.
pub fn size(
    call: &Call,
    settings: &Settings,
    default: usize,
    max: usize,
) -> Result<usize, ApiError> {
    let asked = match call.parameter("limit") {
        None => default,
        Some(text) => text
            .parse()
            .map_err(|_| ApiError::validation("limit", "limit: must be a whole number"))?,
    };
    let max = settings.page_size_max.unwrap_or(max).min(max);
    Ok(if asked == 0 {
        default.min(max)
    } else {
        asked.min(max)
    })
}

/// The address of this call, with `after` replaced where it is given.
pub fn address(call: &Call, after: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in call
        .query
        .iter()
        .filter(|(name, _)| after.is_none() || name != "after")
    {
        query.append_pair(name, value);
    }
    if let Some(after) = after {
        query.append_pair("after", after);
    }
    let query = query.finish();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{}{}{mark}{query}", call.base, call.path)
}

/// A `Link` header (RFC 8288).
pub fn link(address: &str, relation: &str) -> String {
    format!("<{address}>; rel=\"{relation}\"")
}

impl Cursor {
    fn of(call: &Call) -> Result<Self, ApiError> {
        let Some(text) = call.parameter("after") else {
            return Ok(Self {
                after: String::new(),
                repeats: 0,
            });
        };
        let invalid = || ApiError::validation("after", "after: is not a cursor of this list");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let text = String::from_utf8(bytes).map_err(|_| invalid())?;
        let (repeats, after) = text.split_once(':').ok_or_else(invalid)?;
        Ok(Self {
            after: after.to_owned(),
            repeats: repeats.parse().map_err(|_| invalid())?,
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
                after: self.after,
                repeats: self.repeats + 1,
            },
            false => Self {
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

    fn pages(settings: &Settings, limit: &str) -> Vec<Vec<u32>> {
        let keyed: Vec<(String, u32)> = (0..5).map(|n| (format!("k{n}"), n)).collect();
        let mut query = format!("limit={limit}");
        let mut pages = Vec::new();
        while pages.len() < 10 {
            let incoming = Incoming {
                method: hyper::Method::GET,
                path: String::new(),
                query_text: query.clone(),
                headers: hyper::HeaderMap::new(),
                body: bytes::Bytes::new(),
            };
            let call = Call::new(
                incoming,
                "/api/v1/users".into(),
                "http://h/okta/main".into(),
                vec![],
                0,
            );
            let page = Page::cut(
                &call,
                settings,
                keyed.iter().map(|(key, n)| (key, *n)),
                (200, 200),
            )
            .unwrap();
            pages.push(page.items.clone());
            let Some(next) = page.next_address(&call) else {
                break;
            };
            assert!(next.starts_with("http://h/okta/main/api/v1/users?"));
            next.split_once('?').unwrap().1.clone_into(&mut query);
        }
        pages
    }

    #[test]
    fn pages_cover_the_list_once_and_the_last_has_no_next() {
        assert_eq!(
            pages(&Settings::default(), "2"),
            [vec![0, 1], vec![2, 3], vec![4]]
        );
        assert_eq!(pages(&Settings::default(), "5"), [vec![0, 1, 2, 3, 4]]);
        let capped = Settings {
            page_size_max: Some(4),
            ..Settings::default()
        };
        assert_eq!(pages(&capped, "200"), [vec![0, 1, 2, 3], vec![4]]);
    }

    #[test]
    fn repeated_pages_come_under_another_cursor() {
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
