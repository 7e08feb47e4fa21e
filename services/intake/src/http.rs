//! The HTTP side: every route in one list, and its description.

mod leaver_events;
mod opt_outs;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use sever_accept::Accepted;
use sever_api::opt_out_view::RequestedView;
use sever_api::{Authenticator, HttpLimits, secured};
use sever_dispatch::Waker;
use sever_store::Store;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What every handler has at hand. Cheap to clone.
#[derive(Clone)]
pub struct Intake {
    /// The database.
    pub store: Store,
    /// Wakes the relay after a commit.
    pub waker: Waker,
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Sever intake",
        description = "What sources report and ask. Every route needs a bearer token with the scope that it names; errors are RFC 9457 problems. The same events are taken from RabbitMQ, see asyncapi.yaml.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags(
        (name = "leaver-events", description = "Employment events: somebody leaves, comes back, stays, or leaves another day."),
        (name = "opt-outs", description = "Removals of access: asking for them and following them."),
    )
)]
struct Description;

/// The service's routes behind authentication and bounds. Without a token that works every path is 401.
pub fn router(intake: Intake, limits: HttpLimits) -> Router {
    let authenticator = Authenticator::new(intake.store.clone());
    let (routes, _) = routes_of_the_service().with_state(intake).split_for_parts();
    let routes = routes.route("/v1/openapi.json", get(show_description));
    secured(routes, authenticator, limits)
}

/// The description of the API, as `openapi.json` holds it.
#[must_use]
pub fn description() -> OpenApi {
    let mut all = routes_of_the_service().into_openapi();
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    let components = all.components.get_or_insert_default();
    components.add_security_scheme("bearer", bearer);
    all
}

async fn show_description() -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, include_str!("../openapi.json"))
}

fn routes_of_the_service() -> OpenApiRouter<Intake> {
    use utoipa::OpenApi as _;
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(leaver_events::report_leaver_event))
        .routes(routes!(opt_outs::request_opt_out))
        .routes(routes!(opt_outs::find_opt_out))
}

/// What the sender is told of a request that is committed.
fn requested(accepted: &Accepted) -> RequestedView {
    RequestedView {
        request: accepted.request.0,
        opt_out: accepted.opt_out.map(|id| id.0),
        state: accepted.state,
        created: accepted.created,
    }
}

/// Where the opt-out can be followed.
fn location(accepted: &Accepted) -> Option<[(header::HeaderName, String); 1]> {
    let path = accepted.opt_out.map(|id| format!("/v1/opt-outs/{id}"));
    path.map(|path| [(header::LOCATION, path)])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Run with `SEVER_BLESS=1` to write the file anew.
    #[test]
    fn the_committed_description_is_that_of_the_routes() {
        let made = description().to_pretty_json().unwrap() + "\n";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        #[expect(
            clippy::disallowed_methods,
            reason = "the one switch that rewrites the page instead of comparing"
        )]
        if std::env::var_os("SEVER_BLESS").is_some() {
            std::fs::write(path, &made).unwrap();
        }
        assert!(
            std::fs::read_to_string(path).unwrap() == made,
            "openapi.json differs from the routes; run 'SEVER_BLESS=1 cargo test -p sever-intake --lib' and read the difference"
        );
    }
}
