//! Bulk calls: a 200 says nothing; each item has its own outcome, in the order of the request.

use serde::Deserialize;
use sever_provider::http::Reply;
use sever_provider::{CallError, Sent};

use crate::errors::inconsistent;

/// What became of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// It says that it worked.
    Success,
    /// It says that it did not; why is not documented.
    Error,
}

#[derive(Deserialize)]
struct Body {
    results: Vec<ItemResult>,
}

#[derive(Deserialize)]
struct ItemResult {
    id: String,
    status: String,
}

/// What became of the only item that was sent, whose id is `id`.
///
/// # Errors
/// Class `Retry`, perhaps applied, where the answer does not speak of exactly this item.
pub fn only_item(doing: &'static str, reply: &Reply, id: &str) -> Result<Item, CallError> {
    let unclear = || CallError {
        sent: Sent::MayBeApplied,
        status: Some(reply.status.as_u16()),
        ..inconsistent(doing, "the answer does not say what became of the item")
    };
    let body: Body = reply.json().map_err(|_| unclear())?;
    match &body.results[..] {
        [only] if only.id == id && only.status == "SUCCESS" => Ok(Item::Success),
        [only] if only.id == id => Ok(Item::Error),
        _ => Err(unclear()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Item, Sent> {
        let reply = Reply {
            status: reqwest::StatusCode::OK,
            headers: reqwest::header::HeaderMap::new(),
            body: body.as_bytes().to_vec(),
        };
        only_item("offboarding", &reply, "p1").map_err(|error| error.sent)
    }

    #[test]
    fn only_an_item_of_this_id_that_says_success_is_one() {
        let success = r#"{"results":[{"id":"p1","status":"SUCCESS"}]}"#;
        assert_eq!(read(success), Ok(Item::Success));
        let error = r#"{"results":[{"id":"p1","status":"ERROR","message":"Invalid Input"}]}"#;
        assert_eq!(read(error), Ok(Item::Error));
        let new_word = r#"{"results":[{"id":"p1","status":"ACCEPTED"}]}"#;
        assert_eq!(read(new_word), Ok(Item::Error));
        for unclear in [
            "{}",
            "",
            r#"{"results":[]}"#,
            r#"{"results":[{"id":"p2","status":"SUCCESS"}]}"#,
            r#"{"results":[{"id":"p1","status":"SUCCESS"},{"id":"p2","status":"SUCCESS"}]}"#,
        ] {
            assert_eq!(read(unclear), Err(Sent::MayBeApplied), "{unclear}");
        }
    }
}
