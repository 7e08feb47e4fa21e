//! Every endpoint of the simulated Vanta, in one list.

use crate::exchange::Reply;
use crate::vanta::api::{
    computers, group_people, groups, integration_resources, integrations, leave, not_people,
    offboard, people, resources, users,
};
use crate::vanta::call::Call;
use crate::vanta::error::ApiError;
use crate::vanta::oauth;
use crate::vanta::settings::Settings;
use crate::vanta::state::Tenant;

/// What answers a call.
pub type Handler = fn(&mut Tenant, &Call) -> Result<Reply, ApiError>;

/// One of Vanta's APIs: limits and scopes go by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// The token endpoint, which all share.
    Token,
    /// Manage Vanta.
    Manage,
    /// Build Integrations.
    Build,
}

/// One endpoint.
pub struct Route {
    /// The API it belongs to.
    pub api: Api,
    /// The HTTP method.
    pub method: &'static str,
    /// The path inside the tenant; names in braces are variable.
    pub pattern: &'static str,
    /// The family, as the journal and the fault rules name it.
    pub family: &'static str,
    /// The operation, as the journal and the fault rules name it.
    pub operation: &'static str,
    handler: Handler,
}

impl Route {
    /// Whether a call changes the state.
    pub fn is_write(&self) -> bool {
        self.method != "GET"
    }

    /// The scope that a call needs; `None`: needs no credential.
    pub fn scope(&self) -> Option<&'static str> {
        match (self.api, self.is_write()) {
            (Api::Token, _) => None,
            (Api::Manage, false) => Some("vanta-api.all:read"),
            (Api::Manage, true) => Some("vanta-api.all:write"),
            (Api::Build, false) => Some("connectors.self:read-resource"),
            (Api::Build, true) => Some("connectors.self:write-resource"),
        }
    }

    /// Answers `call`.
    pub fn handle(&self, tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
        (self.handler)(tenant, call)
    }
}

const fn route(
    api: Api,
    method: &'static str,
    pattern: &'static str,
    (family, operation): (&'static str, &'static str),
    handler: Handler,
) -> Route {
    Route {
        api,
        method,
        pattern,
        family,
        operation,
        handler,
    }
}

use Api::{Build, Manage, Token};

/// The endpoints.
#[rustfmt::skip]
pub static ROUTES: &[Route] = &[
    route(Token, "POST", "/oauth/token", ("oauth.token", "issue_token"), oauth::issue_token),

    route(Manage, "GET", "/v1/people", ("people", "list_people"), people::list),
    route(Manage, "GET", "/v1/people/{person}", ("people", "get_person"), people::get),
    route(Manage, "PATCH", "/v1/people/{person}", ("people", "update_person"), people::update),
    route(Manage, "POST", "/v1/people/offboard", ("people.offboard", "offboard_people"), offboard::offboard),
    route(Manage, "POST", "/v1/people/mark-as-not-people", ("people.mark", "mark_as_not_people"), not_people::mark),
    route(Manage, "POST", "/v1/people/mark-as-people", ("people.mark", "mark_as_people"), not_people::unmark),
    route(Manage, "POST", "/v1/people/{person}/set-leave", ("people.leave", "set_leave"), leave::set),
    route(Manage, "POST", "/v1/people/{person}/clear-leave", ("people.leave", "clear_leave"), leave::clear),

    route(Manage, "GET", "/v1/users", ("users", "list_users"), users::list),
    route(Manage, "GET", "/v1/users/{user}", ("users", "get_user"), users::get),
    route(Manage, "POST", "/v1/users/deactivate", ("users.deactivate", "deactivate_users"), users::deactivate),

    route(Manage, "GET", "/v1/groups", ("groups", "list_groups"), groups::list),
    route(Manage, "GET", "/v1/groups/{group}", ("groups", "get_group"), groups::get),
    route(Manage, "GET", "/v1/groups/{group}/people", ("group_people", "list_group_people"), group_people::list),
    route(Manage, "POST", "/v1/groups/{group}/people", ("group_people", "add_person"), group_people::add_one),
    route(Manage, "POST", "/v1/groups/{group}/add-people", ("group_people", "add_people"), group_people::add),
    route(Manage, "DELETE", "/v1/groups/{group}/people/{person}", ("group_people", "remove_person"), group_people::remove_one),
    route(Manage, "POST", "/v1/groups/{group}/remove-people", ("group_people", "remove_people"), group_people::remove),

    route(Manage, "GET", "/v1/integrations", ("integrations", "list_integrations"), integrations::list),
    route(Manage, "GET", "/v1/integrations/{integration}", ("integrations", "get_integration"), integrations::get),
    route(Manage, "GET", "/v1/integrations/{integration}/resource-kinds", ("integrations", "list_kinds"), integrations::kinds),
    route(Manage, "GET", "/v1/integrations/{integration}/resource-kinds/{kind}", ("integrations", "get_kind"), integrations::kind),
    route(Manage, "GET", "/v1/integrations/{integration}/resource-kinds/{kind}/resources", ("integration_resources", "list_integration_resources"), integration_resources::list),
    route(Manage, "PATCH", "/v1/integrations/{integration}/resource-kinds/{kind}/resources", ("integration_resources", "update_integration_resources"), integration_resources::update_all),
    route(Manage, "GET", "/v1/integrations/{integration}/resource-kinds/{kind}/resources/{resource}", ("integration_resources", "get_integration_resource"), integration_resources::get),
    route(Manage, "PATCH", "/v1/integrations/{integration}/resource-kinds/{kind}/resources/{resource}", ("integration_resources", "update_integration_resource"), integration_resources::update),

    route(Manage, "GET", "/v1/monitored-computers", ("computers", "list_computers"), computers::list),

    route(Build, "GET", "/v1/resources/{type}", ("resources", "list_resources"), resources::list),
    route(Build, "PUT", "/v1/resources/{type}", ("resources", "sync_resources"), resources::sync),
];

/// A route found for a path.
pub struct Found {
    /// The endpoint.
    pub route: &'static Route,
    /// The variable segments, in order.
    pub arguments: Vec<String>,
}

/// The endpoint for `method` and the path whose decoded segments are `segments`; the first that fits wins.
///
/// # Errors
/// 404 where no endpoint has this path or the settings lack it; 405, or 404 by the settings, where none of those that
/// have the path takes the method.
pub fn find(settings: &Settings, method: &str, segments: &[String]) -> Result<Found, ApiError> {
    let fitting: Vec<&'static Route> = ROUTES
        .iter()
        .filter(|route| fits(route.pattern, segments))
        .collect();
    let missing = |route: &Route| {
        let mut missing = settings.missing_operations.iter();
        missing.any(|name| name == route.operation)
    };
    let found = fitting.iter().find(|route| route.method == method);
    match found {
        Some(route) if !missing(route) => Ok(Found {
            route,
            arguments: arguments(route.pattern, segments),
        }),
        None if !fitting.is_empty() => {
            let status = settings.unconfirmed.wrong_method;
            Err(ApiError::new(status, "Method not allowed"))
        }
        _ => Err(ApiError::not_found("Path")),
    }
}

fn fits(pattern: &str, segments: &[String]) -> bool {
    let pattern: Vec<&str> = pattern.split('/').skip(1).collect();
    pattern.len() == segments.len()
        && pattern
            .iter()
            .zip(segments)
            .all(|(pattern, segment)| pattern.starts_with('{') || pattern == segment)
}

fn arguments(pattern: &str, segments: &[String]) -> Vec<String> {
    let pairs = pattern.split('/').skip(1).zip(segments);
    pairs
        .filter(|(pattern, _)| pattern.starts_with('{'))
        .map(|(_, value)| value.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &str, path: &str) -> Result<(&'static str, Vec<String>), u16> {
        let segments: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        find(&Settings::default(), method, &segments)
            .map(|found| (found.route.operation, found.arguments))
            .map_err(|error| error.status)
    }

    #[test]
    fn paths_find_their_endpoint_and_nobody_can_disconnect_an_integration() {
        assert_eq!(
            found("POST", "/v1/people/offboard"),
            Ok(("offboard_people", vec![]))
        );
        let get = found("GET", "/v1/people/p1");
        assert_eq!(get, Ok(("get_person", vec!["p1".into()])));
        for method in ["DELETE", "POST", "PATCH", "PUT"] {
            assert_eq!(found(method, "/v1/integrations/okta"), Err(405), "{method}");
        }
        assert_eq!(found("POST", "/v1/integrations/okta/disconnect"), Err(404));
        assert_eq!(found("PUT", "/v1/people/p1"), Err(405));
    }

    #[test]
    fn operations_are_named_once() {
        let mut names: Vec<&str> = ROUTES.iter().map(|route| route.operation).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ROUTES.len());
    }
}
