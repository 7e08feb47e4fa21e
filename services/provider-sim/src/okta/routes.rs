//! Every endpoint of the simulated Okta, in one list.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::exchange::Reply;
use crate::okta::api::{
    api_tokens, app_grants, app_groups, app_keys, app_secrets, app_tokens, app_users, apps,
    authorization_servers, client_roles, clients, devices, factors, grants, groups, hooks, iam,
    identity_providers, lifecycle, linked_objects, logs, members, owners, provisioning, revocation,
    roles, rules, sessions, users,
};
use crate::okta::call::Call;
use crate::okta::error::{ApiError, Code};
use crate::okta::oauth;
use crate::okta::state::Org;

/// What answers a call.
pub type Handler = fn(&mut Org, &Call) -> Result<Reply, ApiError>;

/// One endpoint.
pub struct Route {
    /// The HTTP method.
    pub method: &'static str,
    /// The path inside the org; `{user}` and other names in braces are variable.
    pub pattern: &'static str,
    /// The family, as the journal and the fault rules name it.
    pub family: &'static str,
    /// The operation, as the journal and the fault rules name it.
    pub operation: &'static str,
    /// The scope without its verb; `None`: needs no credential.
    pub scope: Option<&'static str>,
    handler: Handler,
}

impl Route {
    /// Whether a call changes the state.
    pub fn is_write(&self) -> bool {
        self.method != "GET"
    }

    /// Answers `call`.
    pub fn handle(&self, org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
        (self.handler)(org, call)
    }

    /// Which variable segment is a user, where one is.
    pub fn user_argument(&self) -> Option<usize> {
        self.pattern
            .split('/')
            .filter(|segment| segment.starts_with('{'))
            .position(|segment| segment == "{user}")
    }

    /// The rate-limit bucket: a collection, one object of it, or everything below that.
    pub fn bucket(&self) -> String {
        let mut segments = self.pattern.split('/').skip(1);
        if segments.next() == Some("oauth2") {
            return self.pattern.to_owned();
        }
        let rest: Vec<&str> = segments.skip(1).collect();
        match rest[..] {
            [collection] => format!("/api/v1/{collection}"),
            [collection, object] if object.starts_with('{') => {
                format!("/api/v1/{collection}/{{id}}")
            }
            [collection, ..] => format!("/api/v1/{collection}*"),
            [] => "/api/v1".to_owned(),
        }
    }
}

const USERS: Option<&str> = Some("okta.users");
const GROUPS: Option<&str> = Some("okta.groups");
const ROLES: Option<&str> = Some("okta.roles");
const APPS: Option<&str> = Some("okta.apps");
const APP_GRANTS: Option<&str> = Some("okta.appGrants");
const EVENT_HOOKS: Option<&str> = Some("okta.eventHooks");
const INLINE_HOOKS: Option<&str> = Some("okta.inlineHooks");
const API_TOKENS: Option<&str> = Some("okta.apiTokens");
const DEVICES: Option<&str> = Some("okta.devices");
const IDPS: Option<&str> = Some("okta.idps");
const LINKED: Option<&str> = Some("okta.linkedObjects");
const AUTHORIZATION_SERVERS: Option<&str> = Some("okta.authorizationServers");
const LOGS: Option<&str> = Some("okta.logs");
const LOGOUT: Option<&str> = Some("okta.universalLogout");

const fn route(
    method: &'static str,
    pattern: &'static str,
    (family, operation): (&'static str, &'static str),
    scope: Option<&'static str>,
    handler: Handler,
) -> Route {
    Route {
        method,
        pattern,
        family,
        operation,
        scope,
        handler,
    }
}

/// The endpoints.
#[rustfmt::skip]
pub static ROUTES: &[Route] = &[
    route("POST", "/oauth2/v1/token", ("oauth.token", "issue_token"), None, oauth::issue_token),
    route("POST", "/oauth2/v1/global-token-revocation", ("revocation", "revoke_everything"), LOGOUT, revocation::revoke_everything),

    route("GET", "/api/v1/users", ("users", "list_users"), USERS, users::list),
    route("GET", "/api/v1/users/{user}", ("users", "get_user"), USERS, users::get),
    route("DELETE", "/api/v1/users/{user}", ("users", "delete_user"), USERS, lifecycle::delete),
    route("POST", "/api/v1/users/{user}/lifecycle/suspend", ("users.lifecycle", "suspend_user"), USERS, lifecycle::suspend),
    route("POST", "/api/v1/users/{user}/lifecycle/unsuspend", ("users.lifecycle", "unsuspend_user"), USERS, lifecycle::unsuspend),
    route("POST", "/api/v1/users/{user}/lifecycle/deactivate", ("users.lifecycle", "deactivate_user"), USERS, lifecycle::deactivate),
    route("POST", "/api/v1/users/{user}/lifecycle/activate", ("users.lifecycle", "activate_user"), USERS, lifecycle::activate),
    route("POST", "/api/v1/users/{user}/lifecycle/reactivate", ("users.lifecycle", "reactivate_user"), USERS, lifecycle::reactivate),
    route("POST", "/api/v1/users/{user}/lifecycle/unlock", ("users.lifecycle", "unlock_user"), USERS, lifecycle::unlock),
    route("POST", "/api/v1/users/{user}/lifecycle/expire_password", ("users.lifecycle", "expire_password"), USERS, lifecycle::expire_password),
    route("POST", "/api/v1/users/{user}/lifecycle/reset_factors", ("factors", "reset_factors"), USERS, factors::reset),
    route("DELETE", "/api/v1/users/{user}/sessions", ("sessions", "clear_sessions"), USERS, sessions::clear),

    route("GET", "/api/v1/users/{user}/clients", ("clients", "list_clients"), USERS, clients::list),
    route("GET", "/api/v1/users/{user}/clients/{client}/tokens", ("tokens", "list_tokens"), USERS, clients::list_tokens),
    route("DELETE", "/api/v1/users/{user}/clients/{client}/tokens", ("tokens", "revoke_tokens"), USERS, clients::revoke_tokens),
    route("GET", "/api/v1/users/{user}/clients/{client}/tokens/{token}", ("tokens", "get_token"), USERS, clients::get_token),
    route("DELETE", "/api/v1/users/{user}/clients/{client}/tokens/{token}", ("tokens", "revoke_token"), USERS, clients::revoke_token),
    route("GET", "/api/v1/users/{user}/clients/{client}/grants", ("grants", "list_client_grants"), USERS, grants::list_of_client),
    route("DELETE", "/api/v1/users/{user}/clients/{client}/grants", ("grants", "revoke_client_grants"), USERS, grants::revoke_of_client),
    route("GET", "/api/v1/users/{user}/grants", ("grants", "list_grants"), USERS, grants::list),
    route("DELETE", "/api/v1/users/{user}/grants", ("grants", "revoke_grants"), USERS, grants::revoke_all),
    route("DELETE", "/api/v1/users/{user}/grants/{grant}", ("grants", "revoke_grant"), USERS, grants::revoke),

    route("GET", "/api/v1/users/{user}/groups", ("users.groups", "list_user_groups"), USERS, members::groups_of_user),
    route("GET", "/api/v1/users/{user}/appLinks", ("users.apps", "list_app_links"), USERS, app_users::links),
    route("GET", "/api/v1/users/{user}/roles", ("roles", "list_roles"), ROLES, roles::list),
    route("POST", "/api/v1/users/{user}/roles", ("roles", "assign_role"), ROLES, roles::assign),
    route("GET", "/api/v1/users/{user}/roles/{role}", ("roles", "get_role"), ROLES, roles::get),
    route("GET", "/api/v1/users/{user}/roles/{role}/targets/catalog/apps", ("roles", "list_role_target_apps"), ROLES, roles::list_target_apps),
    route("DELETE", "/api/v1/users/{user}/roles/{role}", ("roles", "unassign_role"), ROLES, roles::unassign),
    route("GET", "/api/v1/users/{user}/factors", ("factors", "list_factors"), USERS, factors::list),
    route("GET", "/api/v1/users/{user}/factors/{factor}", ("factors", "get_factor"), USERS, factors::get),
    route("DELETE", "/api/v1/users/{user}/factors/{factor}", ("factors", "unenroll_factor"), USERS, factors::unenroll),
    route("GET", "/api/v1/users/{user}/devices", ("devices", "list_user_devices"), USERS, devices::list_of_user),
    route("GET", "/api/v1/users/{user}/idps", ("idps", "list_user_idps"), IDPS, identity_providers::list_of_user),
    route("GET", "/api/v1/users/{user}/linkedObjects/{relation}", ("linked_objects", "list_linked_objects"), USERS, linked_objects::list_of_user),
    route("DELETE", "/api/v1/users/{user}/linkedObjects/{relation}", ("linked_objects", "delete_linked_object"), USERS, linked_objects::delete_of_user),
    route("GET", "/api/v1/meta/schemas/user/linkedObjects", ("linked_objects", "list_definitions"), LINKED, linked_objects::definitions),

    route("GET", "/api/v1/groups", ("groups", "list_groups"), GROUPS, groups::list),
    route("GET", "/api/v1/groups/rules", ("rules", "list_rules"), GROUPS, rules::list),
    route("GET", "/api/v1/groups/rules/{rule}", ("rules", "get_rule"), GROUPS, rules::get),
    route("PUT", "/api/v1/groups/rules/{rule}", ("rules", "replace_rule"), GROUPS, rules::replace),
    route("POST", "/api/v1/groups/rules/{rule}/lifecycle/activate", ("rules", "activate_rule"), GROUPS, rules::activate),
    route("POST", "/api/v1/groups/rules/{rule}/lifecycle/deactivate", ("rules", "deactivate_rule"), GROUPS, rules::deactivate),
    route("GET", "/api/v1/groups/{group}", ("groups", "get_group"), GROUPS, groups::get),
    route("GET", "/api/v1/groups/{group}/users", ("members", "list_members"), GROUPS, members::list),
    route("PUT", "/api/v1/groups/{group}/users/{user}", ("members", "add_member"), GROUPS, members::add),
    route("DELETE", "/api/v1/groups/{group}/users/{user}", ("members", "remove_member"), GROUPS, members::remove),
    route("GET", "/api/v1/groups/{group}/owners", ("owners", "list_owners"), GROUPS, owners::list),
    route("POST", "/api/v1/groups/{group}/owners", ("owners", "add_owner"), GROUPS, owners::add),
    route("DELETE", "/api/v1/groups/{group}/owners/{user}", ("owners", "remove_owner"), GROUPS, owners::remove),
    route("GET", "/api/v1/groups/{group}/roles", ("roles", "list_group_roles"), ROLES, roles::list_of_group),
    route("GET", "/api/v1/groups/{group}/apps", ("groups", "list_group_apps"), GROUPS, groups::apps),

    route("GET", "/api/v1/apps", ("apps", "list_apps"), APPS, apps::list),
    route("GET", "/api/v1/apps/{app}", ("apps", "get_app"), APPS, apps::get),
    route("DELETE", "/api/v1/apps/{app}", ("apps", "delete_app"), APPS, apps::delete),
    route("POST", "/api/v1/apps/{app}/lifecycle/activate", ("apps", "activate_app"), APPS, apps::activate),
    route("POST", "/api/v1/apps/{app}/lifecycle/deactivate", ("apps", "deactivate_app"), APPS, apps::deactivate),
    route("GET", "/api/v1/apps/{app}/groups", ("app_groups", "list_app_groups"), APPS, app_groups::list),
    route("GET", "/api/v1/apps/{app}/groups/{group}", ("app_groups", "get_app_group"), APPS, app_groups::get),
    route("PUT", "/api/v1/apps/{app}/groups/{group}", ("app_groups", "assign_app_group"), APPS, app_groups::assign),
    route("DELETE", "/api/v1/apps/{app}/groups/{group}", ("app_groups", "unassign_app_group"), APPS, app_groups::unassign),
    route("GET", "/api/v1/apps/{app}/users", ("app_users", "list_app_users"), APPS, app_users::list),
    route("POST", "/api/v1/apps/{app}/users", ("app_users", "assign_app_user"), APPS, app_users::assign),
    route("GET", "/api/v1/apps/{app}/users/{user}", ("app_users", "get_app_user"), APPS, app_users::get),
    route("DELETE", "/api/v1/apps/{app}/users/{user}", ("app_users", "unassign_app_user"), APPS, app_users::unassign),

    route("GET", "/api/v1/apps/{app}/tokens", ("app_tokens", "list_app_tokens"), APPS, app_tokens::list),
    route("DELETE", "/api/v1/apps/{app}/tokens", ("app_tokens", "revoke_app_tokens"), APPS, app_tokens::revoke_all),
    route("GET", "/api/v1/apps/{app}/tokens/{token}", ("app_tokens", "get_app_token"), APPS, app_tokens::get),
    route("DELETE", "/api/v1/apps/{app}/tokens/{token}", ("app_tokens", "revoke_app_token"), APPS, app_tokens::revoke),
    route("GET", "/api/v1/authorizationServers", ("authorization_servers", "list_authorization_servers"), AUTHORIZATION_SERVERS, authorization_servers::list),
    route("GET", "/api/v1/authorizationServers/{server}/clients/{client}/tokens", ("authorization_servers", "list_server_tokens"), AUTHORIZATION_SERVERS, authorization_servers::list_tokens),
    route("DELETE", "/api/v1/authorizationServers/{server}/clients/{client}/tokens", ("authorization_servers", "revoke_server_tokens"), AUTHORIZATION_SERVERS, authorization_servers::revoke_tokens),
    route("GET", "/api/v1/apps/{app}/grants", ("app_grants", "list_app_grants"), APP_GRANTS, app_grants::list),
    route("POST", "/api/v1/apps/{app}/grants", ("app_grants", "grant_app_scope"), APP_GRANTS, app_grants::create),
    route("GET", "/api/v1/apps/{app}/grants/{grant}", ("app_grants", "get_app_grant"), APP_GRANTS, app_grants::get),
    route("DELETE", "/api/v1/apps/{app}/grants/{grant}", ("app_grants", "revoke_app_grant"), APP_GRANTS, app_grants::revoke),
    route("GET", "/api/v1/apps/{app}/credentials/secrets", ("app_secrets", "list_secrets"), APPS, app_secrets::list),
    route("POST", "/api/v1/apps/{app}/credentials/secrets", ("app_secrets", "create_secret"), APPS, app_secrets::create),
    route("GET", "/api/v1/apps/{app}/credentials/secrets/{secret}", ("app_secrets", "get_secret"), APPS, app_secrets::get),
    route("DELETE", "/api/v1/apps/{app}/credentials/secrets/{secret}", ("app_secrets", "delete_secret"), APPS, app_secrets::delete),
    route("POST", "/api/v1/apps/{app}/credentials/secrets/{secret}/lifecycle/activate", ("app_secrets", "activate_secret"), APPS, app_secrets::activate),
    route("POST", "/api/v1/apps/{app}/credentials/secrets/{secret}/lifecycle/deactivate", ("app_secrets", "deactivate_secret"), APPS, app_secrets::deactivate),
    route("GET", "/api/v1/apps/{app}/credentials/jwks", ("app_keys", "list_keys"), APPS, app_keys::list),
    route("GET", "/api/v1/apps/{app}/credentials/jwks/{key}", ("app_keys", "get_key"), APPS, app_keys::get),
    route("DELETE", "/api/v1/apps/{app}/credentials/jwks/{key}", ("app_keys", "delete_key"), APPS, app_keys::delete),
    route("POST", "/api/v1/apps/{app}/credentials/jwks/{key}/lifecycle/activate", ("app_keys", "activate_key"), APPS, app_keys::activate),
    route("POST", "/api/v1/apps/{app}/credentials/jwks/{key}/lifecycle/deactivate", ("app_keys", "deactivate_key"), APPS, app_keys::deactivate),
    route("GET", "/api/v1/apps/{app}/connections/default", ("provisioning", "get_provisioning"), APPS, provisioning::get),
    route("POST", "/api/v1/apps/{app}/connections/default/lifecycle/activate", ("provisioning", "activate_provisioning"), APPS, provisioning::activate),
    route("POST", "/api/v1/apps/{app}/connections/default/lifecycle/deactivate", ("provisioning", "deactivate_provisioning"), APPS, provisioning::deactivate),
    route("GET", "/oauth2/v1/clients/{client}/roles", ("client_roles", "list_client_roles"), ROLES, client_roles::list),
    route("POST", "/oauth2/v1/clients/{client}/roles", ("client_roles", "assign_client_role"), ROLES, client_roles::assign),
    route("GET", "/oauth2/v1/clients/{client}/roles/{role}/targets/catalog/apps", ("client_roles", "list_client_role_target_apps"), ROLES, client_roles::list_target_apps),
    route("DELETE", "/oauth2/v1/clients/{client}/roles/{role}", ("client_roles", "unassign_client_role"), ROLES, client_roles::unassign),

    route("GET", "/api/v1/eventHooks", ("event_hooks", "list_event_hooks"), EVENT_HOOKS, hooks::list_event),
    route("GET", "/api/v1/eventHooks/{hook}", ("event_hooks", "get_event_hook"), EVENT_HOOKS, hooks::get_event),
    route("DELETE", "/api/v1/eventHooks/{hook}", ("event_hooks", "delete_event_hook"), EVENT_HOOKS, hooks::delete_event),
    route("POST", "/api/v1/eventHooks/{hook}/lifecycle/activate", ("event_hooks", "activate_event_hook"), EVENT_HOOKS, hooks::activate_event),
    route("POST", "/api/v1/eventHooks/{hook}/lifecycle/deactivate", ("event_hooks", "deactivate_event_hook"), EVENT_HOOKS, hooks::deactivate_event),
    route("GET", "/api/v1/inlineHooks", ("inline_hooks", "list_inline_hooks"), INLINE_HOOKS, hooks::list_inline),
    route("GET", "/api/v1/inlineHooks/{hook}", ("inline_hooks", "get_inline_hook"), INLINE_HOOKS, hooks::get_inline),
    route("DELETE", "/api/v1/inlineHooks/{hook}", ("inline_hooks", "delete_inline_hook"), INLINE_HOOKS, hooks::delete_inline),
    route("POST", "/api/v1/inlineHooks/{hook}/lifecycle/activate", ("inline_hooks", "activate_inline_hook"), INLINE_HOOKS, hooks::activate_inline),
    route("POST", "/api/v1/inlineHooks/{hook}/lifecycle/deactivate", ("inline_hooks", "deactivate_inline_hook"), INLINE_HOOKS, hooks::deactivate_inline),

    route("GET", "/api/v1/api-tokens", ("api_tokens", "list_api_tokens"), API_TOKENS, api_tokens::list),
    route("GET", "/api/v1/api-tokens/{token}", ("api_tokens", "get_api_token"), API_TOKENS, api_tokens::get),
    route("DELETE", "/api/v1/api-tokens/{token}", ("api_tokens", "revoke_api_token"), API_TOKENS, api_tokens::revoke),
    route("GET", "/api/v1/devices/{device}", ("devices", "get_device"), DEVICES, devices::get),
    route("DELETE", "/api/v1/devices/{device}", ("devices", "delete_device"), DEVICES, devices::delete),
    route("GET", "/api/v1/devices/{device}/users", ("devices", "list_device_users"), DEVICES, devices::users),
    route("POST", "/api/v1/devices/{device}/lifecycle/activate", ("devices", "activate_device"), DEVICES, devices::activate),
    route("POST", "/api/v1/devices/{device}/lifecycle/deactivate", ("devices", "deactivate_device"), DEVICES, devices::deactivate),
    route("GET", "/api/v1/idps", ("idps", "list_idps"), IDPS, identity_providers::list),
    route("GET", "/api/v1/idps/{idp}/users", ("idps", "list_idp_users"), IDPS, identity_providers::users),
    route("DELETE", "/api/v1/idps/{idp}/users/{user}", ("idps", "unlink_user"), IDPS, identity_providers::unlink),
    route("GET", "/api/v1/iam/assignees/users", ("iam", "list_admins"), ROLES, iam::list_admins),
    route("GET", "/api/v1/logs", ("logs", "list_events"), LOGS, logs::list),
];

/// A route found for a path.
pub struct Found {
    /// The endpoint.
    pub route: &'static Route,
    /// Its rate-limit bucket.
    pub bucket: &'static str,
    /// The variable segments, in order.
    pub arguments: Vec<String>,
}

struct Compiled {
    route: &'static Route,
    bucket: String,
    segments: Vec<&'static str>,
}

static COMPILED: LazyLock<HashMap<usize, Vec<Compiled>>> = LazyLock::new(|| {
    let mut by_length: HashMap<usize, Vec<Compiled>> = HashMap::new();
    for route in ROUTES {
        let segments: Vec<&str> = route.pattern.split('/').skip(1).collect();
        let compiled = Compiled {
            route,
            bucket: route.bucket(),
            segments,
        };
        by_length
            .entry(compiled.segments.len())
            .or_default()
            .push(compiled);
    }
    by_length
});

/// The endpoint for `method` and the path whose decoded segments are `segments`. The first that fits wins, so
/// `/groups/rules` stands before `/groups/{group}` in the list.
///
/// # Errors
/// 404 E0000008 where no endpoint has this path, 405 E0000022 where none of those that have it takes the method.
pub fn find(method: &str, segments: &[String]) -> Result<Found, ApiError> {
    let mut path_exists = false;
    for compiled in COMPILED
        .get(&segments.len())
        .map(Vec::as_slice)
        .unwrap_or_default()
    {
        if !fits(&compiled.segments, segments) {
            continue;
        }
        path_exists = true;
        if compiled.route.method == method {
            let pairs = compiled.segments.iter().zip(segments);
            let arguments = pairs
                .filter(|(pattern, _)| pattern.starts_with('{'))
                .map(|(_, value)| value.clone());
            return Ok(Found {
                route: compiled.route,
                bucket: &compiled.bucket,
                arguments: arguments.collect(),
            });
        }
    }
    Err(if path_exists {
        Code::WrongMethod.into()
    } else {
        Code::NoSuchPath.into()
    })
}

fn fits(pattern: &[&str], segments: &[String]) -> bool {
    pattern
        .iter()
        .zip(segments)
        .all(|(pattern, segment)| pattern.starts_with('{') || pattern == segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &str, path: &str) -> Result<(&'static str, Vec<String>), Code> {
        let segments: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        find(method, &segments)
            .map(|found| (found.route.operation, found.arguments))
            .map_err(|error| error.code)
    }

    #[test]
    fn paths_find_their_endpoint() {
        assert_eq!(
            found("GET", "/api/v1/groups/rules"),
            Ok(("list_rules", vec![]))
        );
        assert_eq!(
            found("GET", "/api/v1/groups/g1"),
            Ok(("get_group", vec!["g1".into()]))
        );
        assert_eq!(
            found("DELETE", "/api/v1/groups/g1/users/u1"),
            Ok(("remove_member", vec!["g1".into(), "u1".into()]))
        );
        assert_eq!(found("PATCH", "/api/v1/groups/g1"), Err(Code::WrongMethod));
        assert_eq!(found("GET", "/api/v1/nonsense"), Err(Code::NoSuchPath));
    }

    #[test]
    fn buckets_are_collection_object_and_the_rest() {
        let bucket = |operation| {
            ROUTES
                .iter()
                .find(|route| route.operation == operation)
                .unwrap()
                .bucket()
        };
        assert_eq!(bucket("list_users"), "/api/v1/users");
        assert_eq!(bucket("get_user"), "/api/v1/users/{id}");
        assert_eq!(bucket("suspend_user"), "/api/v1/users*");
        assert_eq!(bucket("list_rules"), "/api/v1/groups*");
        assert_eq!(bucket("issue_token"), "/oauth2/v1/token");
    }

    #[test]
    fn operations_are_named_once() {
        let mut names: Vec<&str> = ROUTES.iter().map(|route| route.operation).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ROUTES.len());
    }
}
