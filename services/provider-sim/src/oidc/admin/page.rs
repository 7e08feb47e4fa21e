//! Lists by `first` and `max`.

use serde_json::Value;

use crate::exchange::Reply;
use crate::oidc::error::Refusal;
use crate::oidc::settings::Settings;
use crate::passage::Call;

/// The part of `items` that `call` asks for; 100 where it does not say how many.
pub fn cut(
    items: impl Iterator<Item = Value>,
    settings: &Settings,
    call: &Call,
) -> Result<Reply, Refusal> {
    let number = |name: &str, default: usize| match call.parameter(name) {
        None => Ok(default),
        Some(text) => text
            .parse()
            .map_err(|_| Refusal::new(404, "HTTP 404 Not Found")),
    };
    let first = settings.page_repeats.begin(number("first", 0)?);
    let max = number("max", 100)?.min(settings.page_size_max);
    let page: Vec<Value> = items.skip(first).take(max).collect();
    Ok(Reply::json(200, &page))
}
