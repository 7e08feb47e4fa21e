//! Every route of the service, in one list, and its description.

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::{any_service, get};
use sever_api::{Authenticator, secured};
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::console::Console;
use crate::endpoint::{
    audit, capabilities, connections, dead_letters, drift, exceptions, holds, integrations,
    opt_outs, overview, people, people_import, plans, protected, rejected, replays, sources, tasks,
    tokens, unmatched, way_back,
};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Sever operator API",
        description = "What operators do with Sever. Every route needs a bearer token with the scope that it names; errors are RFC 9457 problems.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags(
        (name = "people", description = "The directory: who there is, and where their access stands."),
        (name = "integrations", description = "Third-party applications that were let into the organisation, and where their access stands."),
        (name = "opt-outs", description = "Removals of access: asking for them and following them."),
        (name = "holds", description = "Stops that only a person lifts, and never the one who asked."),
        (name = "tasks", description = "What a person is asked to do where a provider has no call."),
        (name = "dead letters", description = "Jobs that gave up, and dead messages: what a person makes of them."),
        (name = "drift", description = "What differs from what should be, and the inventories that look for it."),
        (name = "connections", description = "The instances of external systems."),
        (name = "sources", description = "The upstreams that report or ask."),
        (name = "tokens", description = "What may call the services."),
        (name = "protected", description = "Whom no opt-out may touch without a person."),
        (name = "rejected", description = "What could not be taken in, and what waits for its person."),
        (name = "audit", description = "The record."),
        (name = "overview", description = "The counts of everything."),
    )
)]
struct Description;

/// The service's routes behind authentication and bounds. `GET /v1/openapi.json` alone needs no token.
pub fn router(console: Console) -> Router {
    let authenticator = Authenticator::new(console.store.clone());
    let (ordinary, _) = ordinary().with_state(console.clone()).split_for_parts();
    let (import, _) = import().with_state(console.clone()).split_for_parts();
    Router::new()
        .route("/v1/openapi.json", get(show_description))
        .route(
            "/v1/people/import",
            any_service(secured(
                import,
                authenticator.clone(),
                console.import_limits,
            )),
        )
        .fallback_service(secured(ordinary, authenticator, console.limits))
}

/// The description of the API, as `openapi.json` holds it.
#[must_use]
pub fn description() -> OpenApi {
    let mut all = ordinary().merge(import()).into_openapi();
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    let components = all.components.get_or_insert_default();
    components.add_security_scheme("bearer", bearer);
    all
}

async fn show_description() -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, include_str!("../openapi.json"))
}

fn ordinary() -> OpenApiRouter<Console> {
    use utoipa::OpenApi as _;
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(people::list_people))
        .routes(routes!(people::find_person))
        .routes(routes!(people::show_status))
        .routes(routes!(
            integrations::list_integrations,
            integrations::apply_integrations
        ))
        .routes(routes!(integrations::find_integration))
        .routes(routes!(integrations::show_integration_status))
        .routes(routes!(opt_outs::list_opt_outs, opt_outs::request_opt_out))
        .routes(routes!(opt_outs::find_opt_out))
        .routes(routes!(way_back::restore_opt_out))
        .routes(routes!(way_back::cancel_opt_out))
        .routes(routes!(plans::ask_plan))
        .routes(routes!(plans::find_plan))
        .routes(routes!(audit::show_audit))
        .routes(routes!(holds::list_holds))
        .routes(routes!(holds::find_hold))
        .routes(routes!(holds::release_hold))
        .routes(routes!(holds::reject_hold))
        .routes(routes!(dead_letters::list_dead_letters))
        .routes(routes!(dead_letters::list_cluster))
        .routes(routes!(dead_letters::find_dead_letter))
        .routes(routes!(dead_letters::resolve_dead_letter))
        .routes(routes!(dead_letters::discard_dead_letter))
        .routes(routes!(dead_letters::confirm_discard))
        .routes(routes!(replays::list_replays, replays::order_replay))
        .routes(routes!(replays::find_replay))
        .routes(routes!(replays::stop_replay))
        .routes(routes!(tasks::list_tasks))
        .routes(routes!(tasks::find_task))
        .routes(routes!(tasks::complete_task))
        .routes(routes!(tasks::confirm_task))
        .routes(routes!(tasks::refuse_task))
        .routes(routes!(
            connections::list_connections,
            connections::apply_connections
        ))
        .routes(routes!(connections::close_breaker))
        .routes(routes!(capabilities::show_capabilities))
        .routes(routes!(sources::list_sources))
        .routes(routes!(sources::put_source))
        .routes(routes!(tokens::list_tokens, tokens::create_token))
        .routes(routes!(tokens::revoke_token))
        .routes(routes!(protected::list_protected, protected::add_protected))
        .routes(routes!(protected::remove_protected))
        .routes(routes!(rejected::list_rejected))
        .routes(routes!(rejected::find_rejected))
        .routes(routes!(unmatched::list_unmatched))
        .routes(routes!(drift::list_findings))
        .routes(routes!(drift::find_finding))
        .routes(routes!(drift::repair_finding))
        .routes(routes!(drift::accept_finding))
        .routes(routes!(drift::show_inventories, drift::ask_inventory))
        .routes(routes!(drift::release_inventory))
        .routes(routes!(drift::show_access))
        .routes(routes!(
            exceptions::list_exceptions,
            exceptions::add_exception
        ))
        .routes(routes!(exceptions::end_exception))
        .routes(routes!(overview::show_overview))
}

/// Apart, because its body and its deadline have bounds of their own.
fn import() -> OpenApiRouter<Console> {
    OpenApiRouter::new().routes(routes!(people_import::import_people))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Built with `SEVER_BLESS=1` it writes the file anew.
    #[test]
    fn the_committed_description_is_that_of_the_routes() {
        let made = description().to_pretty_json().unwrap() + "\n";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        if option_env!("SEVER_BLESS").is_some() {
            std::fs::write(path, &made).unwrap();
        }
        assert!(
            std::fs::read_to_string(path).unwrap() == made,
            "openapi.json differs from the routes; run 'SEVER_BLESS=1 cargo test -p sever-console --lib' and read the difference"
        );
    }

    #[test]
    fn every_operation_names_its_scope_and_its_refusals() {
        let description = serde_json::to_value(description()).unwrap();
        for (path, methods) in description["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let scope = operation["security"][0]["bearer"][0]
                    .as_str()
                    .unwrap_or_default();
                assert!(
                    scope.parse::<sever_api::Scope>().is_ok(),
                    "{method} {path}: '{scope}'"
                );
                for status in ["401", "403"] {
                    assert!(
                        operation["responses"][status].is_object(),
                        "{method} {path}: {status}"
                    );
                }
            }
        }
    }
}
