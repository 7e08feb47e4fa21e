//! Lists: filter and paging, by index (RFC 7644 section 3.4.2) or by cursor (RFC 9865).

use serde_json::Value;

use crate::exchange::Reply;
use crate::passage::{Call, Instance as _};
use crate::scim::error::Refusal;
use crate::scim::filter::Filter;
use crate::scim::settings::Pages;
use crate::scim::shape;
use crate::scim::state::{App, Kind, Resource};

/// What is asked for.
struct Wanted {
    filter: Option<Filter>,
    start: i64,
    count: Option<i64>,
    cursor: Option<String>,
}

/// `GET /Users`.
pub fn users(app: &mut App, call: &Call) -> Result<Reply, Refusal> {
    list(app, Kind::User, &by_query(call)?, call)
}

/// `GET /Groups`.
pub fn groups(app: &mut App, call: &Call) -> Result<Reply, Refusal> {
    list(app, Kind::Group, &by_query(call)?, call)
}

/// `POST /Users/.search` (section 3.4.3).
pub fn search_users(app: &mut App, call: &Call) -> Result<Reply, Refusal> {
    list(app, Kind::User, &by_body(call)?, call)
}

/// `POST /Groups/.search`.
pub fn search_groups(app: &mut App, call: &Call) -> Result<Reply, Refusal> {
    list(app, Kind::Group, &by_body(call)?, call)
}

fn by_query(call: &Call) -> Result<Wanted, Refusal> {
    let number = |name: &str| match call.parameter(name) {
        None => Ok(None),
        Some(text) => text
            .parse()
            .map(Some)
            .map_err(|_| Refusal::bad("invalidValue", format!("{name}: must be a number"))),
    };
    Ok(Wanted {
        filter: call.parameter("filter").map(Filter::parse).transpose()?,
        start: number("startIndex")?.unwrap_or(1),
        count: number("count")?,
        cursor: call.parameter("cursor").map(str::to_owned),
    })
}

fn by_body(call: &Call) -> Result<Wanted, Refusal> {
    let body: Value = serde_json::from_slice(&call.body)
        .map_err(|_| Refusal::bad("invalidSyntax", "the body is no JSON"))?;
    Ok(Wanted {
        filter: body["filter"].as_str().map(Filter::parse).transpose()?,
        start: body["startIndex"].as_i64().unwrap_or(1),
        count: body["count"].as_i64(),
        cursor: body["cursor"].as_str().map(str::to_owned),
    })
}

fn list(app: &App, kind: Kind, wanted: &Wanted, call: &Call) -> Result<Reply, Refusal> {
    let settings = &app.settings;
    let filter = wanted.filter.as_ref().filter(|_| !settings.ignore_filter);
    match settings.unfiltered_refusal {
        Some(403) if wanted.filter.is_none() => return Err(App::refusal(403)),
        Some(_) if wanted.filter.is_none() => {
            return Err(Refusal::bad("tooMany", "a list needs a filter"));
        }
        _ => {}
    }
    let asked = filter.map(Filter::attributes).unwrap_or_default();
    let one_of = |names: &[String]| {
        let known = |asked: &&String| names.iter().any(|name| name.eq_ignore_ascii_case(asked));
        asked.iter().find(known).cloned()
    };
    if let Some(name) = one_of(&settings.refused_filters) {
        return Err(Refusal::bad("invalidFilter", format!("{name}: no filter")));
    }
    let found = match one_of(&settings.unknown_filters) {
        Some(_) => Vec::new(),
        None => picked(app, kind, filter),
    };
    if found.is_empty() && filter.is_some() && settings.no_match_status == 404 {
        return Err(Refusal::not_found("with these values"));
    }
    // Section 3.4.2.4: a start below 1 is 1, a negative count is 0.
    let start = usize::try_from(wanted.start.max(1)).unwrap_or(usize::MAX);
    let count = match wanted.count {
        None => settings.page_size_max,
        Some(count) => usize::try_from(count.max(0)).unwrap_or(usize::MAX),
    };
    let begin = match (settings.pages, &wanted.cursor) {
        (Pages::Index, _) => settings.page_repeats.begin(start - 1),
        (Pages::Cursor, cursor) => place_of(cursor.as_deref().unwrap_or_default())?,
    };
    let page = found.iter().skip(begin);
    let page: Vec<Value> = page
        .take(count.min(settings.page_size_max))
        .map(|resource| shape::resource(app, kind, resource, call))
        .collect();
    let next = begin + page.len();
    let by_cursor = settings.pages == Pages::Cursor && wanted.cursor.is_some();
    let next = (by_cursor && next < found.len()).then(|| format!("at-{next}"));
    Ok(shape::list(settings, page, found.len(), start, next))
}

/// Where a cursor leads; an empty one to the beginning.
fn place_of(cursor: &str) -> Result<usize, Refusal> {
    if cursor.is_empty() {
        return Ok(0);
    }
    let place = cursor.strip_prefix("at-").and_then(|at| at.parse().ok());
    place.ok_or_else(|| Refusal::bad("invalidCursor", "no cursor of ours"))
}

fn picked<'a>(app: &'a App, kind: Kind, filter: Option<&Filter>) -> Vec<&'a Resource> {
    // The common question, asked of a directory of any size.
    if kind == Kind::User
        && let Some(name) = filter.and_then(|filter| filter.equals("userName"))
    {
        let by_name = app.find_user(name).and_then(|id| app.users.get(&id));
        return by_name
            .into_iter()
            .filter(|user| user.id() != name && !app.deleted.contains(user.id()))
            .collect();
    }
    let holds = |resource: &&Resource| filter.is_none_or(|it| it.holds(&resource.attributes));
    let listed = |resource: &&Resource| !app.deleted.contains(resource.id());
    let all = app.of(kind).values();
    all.filter(listed).filter(holds).collect()
}
