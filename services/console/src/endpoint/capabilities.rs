//! `/v1/providers/{provider}/capabilities`: what a provider's workers can do.

use axum::Json;
use axum::extract::{Path, State};
use sever_api::capability_view::CapabilityList;
use sever_api::{Authenticated, Problem, ProblemBody, Scope};
use sever_domain::Provider;
use sever_store::capability;

use crate::console::Console;
use crate::parameters::parse;

/// Shows what the provider's workers declared that they can see, revoke, prove and restore, and what only a person can do.
#[utoipa::path(
    get, path = "/v1/providers/{provider}/capabilities", tag = "connections",
    params(("provider" = String, Path, description = "`okta`, `entra`, `vanta`, `scim` or `oidc`.")), security(("bearer" = ["connections:read"])),
    responses(
        (status = 200, body = CapabilityList),
        (status = 400, description = "There is no such provider.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No worker of it has ever started.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show_capabilities(
    who: Authenticated,
    State(console): State<Console>,
    Path(provider): Path<String>,
) -> Result<Json<CapabilityList>, Problem> {
    who.require(Scope::ConnectionsRead)?;
    let provider: Provider = parse("provider", &provider)?;
    let client = console.store.client("reading capabilities").await?;
    let rows = capability::list(&client, provider).await?;
    let declared = CapabilityList::new(provider, rows)?;
    declared.map(Json).ok_or_else(|| {
        Problem::not_found("declaration yet: a worker of this provider makes it when it starts")
    })
}
