//! Every endpoint of the simulated tenant, in one list.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::entra::api::{
    app_roles, applications, audits, azure, azure_pim, credentials, deleted, delta, devices,
    grants, groups, licences, members, methods, owners, pim, pim_groups, roles, service_principals,
    users,
};
use crate::entra::batch;
use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::oauth;
use crate::entra::state::Tenant;
use crate::exchange::Reply;

/// What answers a call.
pub type Handler = fn(&mut Tenant, &Call) -> Result<Reply, ApiError>;

/// Which of the three services an endpoint belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The token endpoint.
    Login,
    /// Microsoft Graph.
    Graph,
    /// Azure Resource Manager.
    Arm,
}

/// One endpoint.
#[derive(Debug)]
pub struct Route {
    /// The HTTP method.
    pub method: &'static str,
    /// The path inside its service; names in braces are variable.
    pub pattern: &'static str,
    /// The family, as the journal and the fault rules name it.
    pub family: &'static str,
    /// The operation, as the journal and the fault rules name it.
    pub operation: &'static str,
    /// Permissions of which one is needed; empty: any valid token will do.
    pub permissions: &'static [&'static str],
    /// Whose it is.
    pub service: Service,
    handler: Handler,
}

impl Route {
    /// Whether a call changes the state.
    pub fn is_write(&self) -> bool {
        self.method != "GET" && !matches!(self.operation, "batch" | "issue_token")
    }

    /// Answers `call`.
    pub fn handle(&self, tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
        (self.handler)(tenant, call)
    }

    /// Which variable segment is called `name`, where one is.
    pub fn argument(&self, name: &str) -> Option<usize> {
        self.pattern
            .split('/')
            .filter(|segment| segment.starts_with('{'))
            .position(|segment| segment == name)
    }
}

const USERS: &[&str] = &["User.Read.All", "User.ReadWrite.All", "Directory.Read.All"];
const ENABLE: &[&str] = &["User.EnableDisableAccount.All", "User.ReadWrite.All"];
const SESSIONS: &[&str] = &["User.RevokeSessions.All", "User.ReadWrite.All"];
const DELETE: &[&str] = &["User.DeleteRestore.All", "User.ReadWrite.All"];
const LICENCES: &[&str] = &["LicenseAssignment.ReadWrite.All", "User.ReadWrite.All"];
const MEMBERSHIPS: &[&str] = &[
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "Directory.Read.All",
];
const GROUPS: &[&str] = &[
    "GroupMember.Read.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
];
const MEMBERS: &[&str] = &["GroupMember.ReadWrite.All", "Group.ReadWrite.All"];
const GROUP_OWNERS: &[&str] = &["Group.ReadWrite.All"];
const ROLES: &[&str] = &[
    "RoleManagement.Read.Directory",
    "RoleManagement.ReadWrite.Directory",
    "Directory.Read.All",
];
const ROLES_W: &[&str] = &["RoleManagement.ReadWrite.Directory"];
const PIM_E: &[&str] = &[
    "RoleEligibilitySchedule.Remove.Directory",
    "RoleEligibilitySchedule.ReadWrite.Directory",
    "RoleManagement.ReadWrite.Directory",
];
const PIM_A: &[&str] = &[
    "RoleAssignmentSchedule.Remove.Directory",
    "RoleAssignmentSchedule.ReadWrite.Directory",
    "RoleManagement.ReadWrite.Directory",
];
const PIM_GE: &[&str] = &[
    "PrivilegedEligibilitySchedule.Remove.AzureADGroup",
    "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
];
const PIM_GA: &[&str] = &[
    "PrivilegedAssignmentSchedule.Remove.AzureADGroup",
    "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
];
const PIM_GR: &[&str] = &[
    "PrivilegedEligibilitySchedule.Read.AzureADGroup",
    "PrivilegedEligibilitySchedule.Remove.AzureADGroup",
    "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
    "PrivilegedAssignmentSchedule.Read.AzureADGroup",
    "PrivilegedAssignmentSchedule.Remove.AzureADGroup",
    "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
];
const APPS: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Directory.Read.All",
];
const APPS_W: &[&str] = &["Application.ReadWrite.All"];
const APP_ROLES: &[&str] = &[
    "Application.Read.All",
    "Directory.Read.All",
    "AppRoleAssignment.ReadWrite.All",
];
const APP_ROLES_W: &[&str] = &["AppRoleAssignment.ReadWrite.All"];
const GRANTS: &[&str] = &[
    "Directory.Read.All",
    "DelegatedPermissionGrant.Read.All",
    "DelegatedPermissionGrant.ReadWrite.All",
];
const GRANTS_W: &[&str] = &["DelegatedPermissionGrant.ReadWrite.All"];
const METHODS: &[&str] = &[
    "UserAuthenticationMethod.Read.All",
    "UserAuthenticationMethod.ReadWrite.All",
];
const METHODS_W: &[&str] = &["UserAuthenticationMethod.ReadWrite.All"];
const DEVICES: &[&str] = &[
    "Device.Read.All",
    "Device.ReadWrite.All",
    "Directory.Read.All",
];
const DEVICES_W: &[&str] = &["Device.ReadWrite.All"];
const AUDITS: &[&str] = &["AuditLog.Read.All"];
const ANY: &[&str] = &[];

const fn graph(
    method: &'static str,
    pattern: &'static str,
    (family, operation): (&'static str, &'static str),
    permissions: &'static [&'static str],
    handler: Handler,
) -> Route {
    Route {
        method,
        pattern,
        family,
        operation,
        permissions,
        service: Service::Graph,
        handler,
    }
}

const fn other(
    service: Service,
    method: &'static str,
    pattern: &'static str,
    (family, operation): (&'static str, &'static str),
    handler: Handler,
) -> Route {
    Route {
        method,
        pattern,
        family,
        operation,
        permissions: ANY,
        service,
        handler,
    }
}

/// The endpoints; the first that fits wins.
#[rustfmt::skip]
pub static ROUTES: &[Route] = &[
    other(Service::Login, "POST", "/{tenant}/oauth2/v2.0/token", ("oauth.token", "issue_token"), oauth::issue_token),

    graph("POST", "/$batch", ("batch", "batch"), ANY, batch::check),
    graph("GET", "/organization", ("organization", "get_organization"), ANY, users::organization),
    graph("GET", "/users", ("users", "list_users"), USERS, users::list),
    graph("GET", "/users/delta", ("users", "delta_users"), USERS, delta::users),
    graph("GET", "/users/{user}", ("users", "get_user"), USERS, users::get),
    graph("PATCH", "/users/{user}", ("users", "update_user"), ENABLE, users::update),
    graph("DELETE", "/users/{user}", ("users", "delete_user"), DELETE, users::delete),
    graph("POST", "/users/{user}/revokeSignInSessions", ("sessions", "revoke_sessions"), SESSIONS, users::revoke_sessions),
    graph("POST", "/users/{user}/assignLicense", ("licences", "assign_licence"), LICENCES, licences::assign),
    graph("GET", "/users/{user}/licenseDetails", ("licences", "list_licence_details"), USERS, licences::details),
    graph("GET", "/users/{user}/memberOf", ("members", "list_groups_of_user"), MEMBERSHIPS, groups::of_user),
    graph("GET", "/users/{user}/memberOf/{cast}", ("members", "list_groups_of_user_by_type"), MEMBERSHIPS, groups::of_user),
    graph("GET", "/users/{user}/transitiveMemberOf", ("members", "list_transitive_groups"), MEMBERSHIPS, groups::transitive_of_user),
    graph("GET", "/users/{user}/transitiveMemberOf/{cast}", ("members", "list_transitive_groups_by_type"), MEMBERSHIPS, groups::transitive_of_user),
    graph("GET", "/users/{user}/ownedObjects", ("owners", "list_owned"), USERS, owners::of_user),
    graph("GET", "/users/{user}/ownedObjects/{cast}", ("owners", "list_owned_by_type"), USERS, owners::of_user),
    graph("GET", "/users/{user}/appRoleAssignments", ("app_roles", "list_app_roles_of_user"), APP_ROLES, app_roles::of_user),
    graph("DELETE", "/users/{user}/appRoleAssignments/{app_role}", ("app_roles", "remove_app_role_of_user"), APP_ROLES_W, app_roles::remove_of_principal),
    graph("GET", "/users/{user}/oauth2PermissionGrants", ("grants", "list_grants_of_user"), GRANTS, grants::of_user),
    graph("GET", "/users/{user}/registeredDevices", ("devices", "list_registered_devices"), USERS, devices::registered),
    graph("GET", "/users/{user}/ownedDevices", ("devices", "list_owned_devices"), USERS, devices::owned),
    graph("GET", "/users/{user}/authentication/methods", ("methods", "list_methods"), METHODS, methods::list),
    graph("DELETE", "/users/{user}/authentication/{collection}/{method}", ("methods", "delete_method"), METHODS_W, methods::delete),

    graph("GET", "/groups", ("groups", "list_groups"), GROUPS, groups::list),
    graph("GET", "/groups/delta", ("groups", "delta_groups"), GROUPS, delta::groups),
    graph("GET", "/groups/{group}", ("groups", "get_group"), GROUPS, groups::get),
    graph("GET", "/groups/{group}/members", ("members", "list_members"), MEMBERSHIPS, members::list),
    graph("POST", "/groups/{group}/members/$ref", ("members", "add_member"), MEMBERS, members::add),
    graph("DELETE", "/groups/{group}/members/{member}", ("members", "delete_member_object"), MEMBERS, members::delete_object),
    graph("DELETE", "/groups/{group}/members/{member}/$ref", ("members", "remove_member"), MEMBERS, members::remove),
    graph("GET", "/groups/{group}/owners", ("owners", "list_group_owners"), GROUPS, owners::list_of_group),
    graph("POST", "/groups/{group}/owners/$ref", ("owners", "add_group_owner"), GROUP_OWNERS, owners::add_to_group),
    graph("DELETE", "/groups/{group}/owners/{member}", ("owners", "delete_group_owner_object"), GROUP_OWNERS, owners::not_contained),
    graph("DELETE", "/groups/{group}/owners/{member}/$ref", ("owners", "remove_group_owner"), GROUP_OWNERS, owners::remove_from_group),

    graph("GET", "/devices/{device}", ("devices", "get_device"), DEVICES, devices::get),
    graph("PATCH", "/devices/{device}", ("devices", "update_device"), DEVICES_W, devices::update),
    graph("DELETE", "/devices/{device}", ("devices", "delete_device"), DEVICES_W, devices::delete),
    graph("GET", "/devices/{device}/registeredUsers", ("devices", "list_device_users"), DEVICES, devices::users),
    graph("GET", "/devices/{device}/registeredOwners", ("devices", "list_device_owners"), DEVICES, devices::owners),

    graph("GET", "/roleManagement/directory/roleDefinitions", ("roles", "list_role_definitions"), ROLES, roles::definitions),
    graph("GET", "/roleManagement/directory/roleDefinitions/{definition}", ("roles", "get_role_definition"), ROLES, roles::get_definition),
    graph("GET", "/roleManagement/directory/roleAssignments", ("roles", "list_role_assignments"), ROLES, roles::list),
    graph("POST", "/roleManagement/directory/roleAssignments", ("roles", "assign_role"), ROLES_W, roles::assign),
    graph("GET", "/roleManagement/directory/roleAssignments/{role}", ("roles", "get_role_assignment"), ROLES, roles::get),
    graph("DELETE", "/roleManagement/directory/roleAssignments/{role}", ("roles", "remove_role"), ROLES_W, roles::remove),
    graph("GET", "/roleManagement/directory/roleEligibilitySchedules", ("pim", "list_eligible_roles"), ROLES, pim::eligible),
    graph("GET", "/roleManagement/directory/roleEligibilityScheduleInstances", ("pim", "list_eligible_role_instances"), ROLES, pim::eligible_instances),
    graph("POST", "/roleManagement/directory/roleEligibilityScheduleRequests", ("pim", "request_eligible_role"), PIM_E, pim::request_eligible),
    graph("GET", "/roleManagement/directory/roleAssignmentSchedules", ("pim", "list_active_roles"), ROLES, pim::active),
    graph("GET", "/roleManagement/directory/roleAssignmentScheduleInstances", ("pim", "list_active_role_instances"), ROLES, pim::active_instances),
    graph("POST", "/roleManagement/directory/roleAssignmentScheduleRequests", ("pim", "request_active_role"), PIM_A, pim::request_active),
    graph("GET", "/identityGovernance/privilegedAccess/group/eligibilitySchedules", ("pim_groups", "list_eligible_groups"), PIM_GR, pim_groups::eligible),
    graph("GET", "/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances", ("pim_groups", "list_eligible_group_instances"), PIM_GR, pim_groups::eligible),
    graph("POST", "/identityGovernance/privilegedAccess/group/eligibilityScheduleRequests", ("pim_groups", "request_eligible_group"), PIM_GE, pim_groups::request_eligible),
    graph("GET", "/identityGovernance/privilegedAccess/group/assignmentSchedules", ("pim_groups", "list_active_groups"), PIM_GR, pim_groups::active),
    graph("GET", "/identityGovernance/privilegedAccess/group/assignmentScheduleInstances", ("pim_groups", "list_active_group_instances"), PIM_GR, pim_groups::active),
    graph("POST", "/identityGovernance/privilegedAccess/group/assignmentScheduleRequests", ("pim_groups", "request_active_group"), PIM_GA, pim_groups::request_active),

    graph("GET", "/servicePrincipals", ("service_principals", "list_service_principals"), APPS, service_principals::list),
    graph("GET", "/servicePrincipals/delta", ("service_principals", "delta_service_principals"), APPS, delta::service_principals),
    graph("GET", "/servicePrincipals/{principal}", ("service_principals", "get_service_principal"), APPS, service_principals::get),
    graph("PATCH", "/servicePrincipals/{principal}", ("service_principals", "update_service_principal"), APPS_W, service_principals::update),
    graph("DELETE", "/servicePrincipals/{principal}", ("service_principals", "delete_service_principal"), APPS_W, service_principals::delete),
    graph("GET", "/servicePrincipals/{principal}/appRoleAssignedTo", ("app_roles", "list_assigned_to"), APP_ROLES, app_roles::assigned_to),
    graph("POST", "/servicePrincipals/{principal}/appRoleAssignedTo", ("app_roles", "assign_app_role"), APP_ROLES_W, app_roles::assign),
    graph("DELETE", "/servicePrincipals/{principal}/appRoleAssignedTo/{app_role}", ("app_roles", "remove_app_role"), APP_ROLES_W, app_roles::remove_assigned_to),
    graph("GET", "/servicePrincipals/{principal}/appRoleAssignments", ("app_roles", "list_app_roles_of_service_principal"), APP_ROLES, app_roles::of_service_principal),
    graph("DELETE", "/servicePrincipals/{principal}/appRoleAssignments/{app_role}", ("app_roles", "remove_app_role_of_service_principal"), APP_ROLES_W, app_roles::remove_of_principal),
    graph("GET", "/servicePrincipals/{principal}/oauth2PermissionGrants", ("grants", "list_grants_of_client"), GRANTS, grants::of_client),
    graph("GET", "/servicePrincipals/{principal}/memberOf", ("members", "list_groups_of_service_principal"), APPS, groups::of_service_principal),
    graph("GET", "/servicePrincipals/{principal}/memberOf/{cast}", ("members", "list_groups_of_service_principal_by_type"), APPS, groups::of_service_principal),
    graph("GET", "/servicePrincipals/{principal}/ownedObjects", ("owners", "list_owned_by_service_principal"), APPS, owners::of_service_principal),
    graph("GET", "/servicePrincipals/{principal}/owners", ("owners", "list_service_principal_owners"), APPS, owners::list_of_service_principal),
    graph("POST", "/servicePrincipals/{principal}/owners/$ref", ("owners", "add_service_principal_owner"), APPS_W, owners::add_to_service_principal),
    graph("DELETE", "/servicePrincipals/{principal}/owners/{member}", ("owners", "delete_service_principal_owner_object"), APPS_W, owners::not_contained),
    graph("DELETE", "/servicePrincipals/{principal}/owners/{member}/$ref", ("owners", "remove_service_principal_owner"), APPS_W, owners::remove_from_service_principal),
    graph("POST", "/servicePrincipals/{principal}/removePassword", ("secrets", "remove_service_principal_password"), APPS_W, credentials::remove_from_service_principal),

    graph("GET", "/applications", ("applications", "list_applications"), APPS, applications::list),
    graph("GET", "/applications/delta", ("applications", "delta_applications"), APPS, delta::applications),
    graph("GET", "/applications/{application}", ("applications", "get_application"), APPS, applications::get),
    graph("PATCH", "/applications/{application}", ("applications", "update_application"), APPS_W, applications::update),
    graph("DELETE", "/applications/{application}", ("applications", "delete_application"), APPS_W, applications::delete),
    graph("POST", "/applications/{application}/removePassword", ("secrets", "remove_application_password"), APPS_W, credentials::remove_from_application),
    graph("GET", "/applications/{application}/federatedIdentityCredentials", ("federated", "list_federated"), APPS, credentials::list_federated),
    graph("POST", "/applications/{application}/federatedIdentityCredentials", ("federated", "add_federated"), APPS_W, credentials::add_federated),
    graph("DELETE", "/applications/{application}/federatedIdentityCredentials/{credential}", ("federated", "delete_federated"), APPS_W, credentials::delete_federated),
    graph("GET", "/applications/{application}/owners", ("owners", "list_application_owners"), APPS, owners::list_of_application),
    graph("POST", "/applications/{application}/owners/$ref", ("owners", "add_application_owner"), APPS_W, owners::add_to_application),
    graph("DELETE", "/applications/{application}/owners/{member}", ("owners", "delete_application_owner_object"), APPS_W, owners::not_contained),
    graph("DELETE", "/applications/{application}/owners/{member}/$ref", ("owners", "remove_application_owner"), APPS_W, owners::remove_from_application),

    graph("GET", "/oauth2PermissionGrants", ("grants", "list_grants"), GRANTS, grants::list),
    graph("POST", "/oauth2PermissionGrants", ("grants", "create_grant"), GRANTS_W, grants::create),
    graph("GET", "/oauth2PermissionGrants/{grant}", ("grants", "get_grant"), GRANTS, grants::get),
    graph("DELETE", "/oauth2PermissionGrants/{grant}", ("grants", "delete_grant"), GRANTS_W, grants::delete),

    graph("GET", "/directory/deletedItems/{item}", ("deleted", "get_deleted"), DIRECTORY_OR_USERS, deleted::get),
    graph("POST", "/directory/deletedItems/{item}/restore", ("deleted", "restore_deleted"), RESTORE, deleted::restore),
    graph("DELETE", "/directory/deletedItems/{item}", ("deleted", "purge_deleted"), RESTORE, deleted::purge),
    graph("GET", "/auditLogs/directoryAudits", ("audits", "list_audits"), AUDITS, audits::list),

    other(Service::Arm, "GET", "/subscriptions", ("azure.scopes", "list_subscriptions"), azure::subscriptions),
    other(Service::Arm, "GET", "/providers/Microsoft.Management/managementGroups", ("azure.scopes", "list_management_groups"), azure::management_groups),
    other(Service::Arm, "GET", "{scope}/roleAssignments", ("azure.roles", "list_azure_roles"), azure::list),
    other(Service::Arm, "GET", "{scope}/roleAssignments/{azure_role}", ("azure.roles", "get_azure_role"), azure::get),
    other(Service::Arm, "PUT", "{scope}/roleAssignments/{azure_role}", ("azure.roles", "put_azure_role"), azure::put),
    other(Service::Arm, "DELETE", "{scope}/roleAssignments/{azure_role}", ("azure.roles", "delete_azure_role"), azure::delete),
    other(Service::Arm, "GET", "{scope}/roleEligibilityScheduleInstances", ("azure.eligible", "list_azure_eligible"), azure_pim::instances),
    other(Service::Arm, "PUT", "{scope}/roleEligibilityScheduleRequests/{azure_request}", ("azure.eligible", "request_azure_eligible"), azure_pim::request),
];

const DIRECTORY_OR_USERS: &[&str] = &[
    "User.Read.All",
    "User.ReadWrite.All",
    "Directory.Read.All",
    "Application.Read.All",
];
const RESTORE: &[&str] = &[
    "User.DeleteRestore.All",
    "User.ReadWrite.All",
    "Application.ReadWrite.All",
];

type Lengths = HashMap<(u8, usize), Vec<(&'static Route, Vec<&'static str>)>>;

static COMPILED: LazyLock<Lengths> = LazyLock::new(|| {
    let mut by_length: Lengths = HashMap::new();
    for route in ROUTES.iter().filter(|route| route.pattern.starts_with('/')) {
        let segments: Vec<&str> = route.pattern.split('/').skip(1).collect();
        let key = (route.service as u8, segments.len());
        by_length.entry(key).or_default().push((route, segments));
    }
    by_length
});

/// A route found for a path, with the variable segments in order.
pub struct Found {
    /// The endpoint.
    pub route: &'static Route,
    /// The variable segments.
    pub arguments: Vec<String>,
}

/// The endpoint for `method` and the path whose decoded segments inside the tenant are `segments`.
///
/// # Errors
/// 400 or 404 where no endpoint has this path, 405 where none of those that have it takes the method.
pub fn find(method: &str, segments: &[String]) -> Result<Found, ApiError> {
    let (service, rest) = match segments {
        [first, rest @ ..] if first == "login" => (Service::Login, rest),
        [first, version, rest @ ..] if first == "graph" && version == "v1.0" => {
            (Service::Graph, rest)
        }
        [first, rest @ ..] if first == "arm" => (Service::Arm, rest),
        _ => return Err(ApiError::new(404, "ResourceNotFound", "Invalid version.")),
    };
    let rest = plain(rest);
    if service == Service::Arm
        && let Some((collection, arguments)) = scoped(&rest)
    {
        return find_scoped(method, collection, arguments);
    }
    let mut path_exists = false;
    let candidates = COMPILED.get(&(service as u8, rest.len()));
    for (route, pattern) in candidates.into_iter().flatten() {
        if !fits(pattern, &rest) {
            continue;
        }
        path_exists = true;
        if route.method == method {
            let pairs = pattern.iter().zip(&rest);
            let arguments = pairs
                .filter(|(pattern, _)| pattern.starts_with('{'))
                .map(|(_, value)| value.clone());
            return Ok(Found {
                route,
                arguments: arguments.collect(),
            });
        }
    }
    Err(if path_exists {
        ApiError::new(
            405,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target.",
        )
    } else {
        let segment = rest.first().map_or("", String::as_str);
        let message = format!("Resource not found for the segment '{segment}'.");
        ApiError::new(400, "BadRequest", &message)
    })
}

/// Segments with `name(key='value')` written as `name` and `key=value`.
fn plain(segments: &[String]) -> Vec<String> {
    let mut plain = Vec::with_capacity(segments.len() + 1);
    for segment in segments {
        let keyed = segment
            .split_once('(')
            .and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?.split_once('=')?)));
        match keyed {
            Some((name, (key, value))) => {
                plain.push(name.to_owned());
                plain.push(format!("{key}={}", value.trim_matches('\'')));
            }
            None => plain.push(segment.clone()),
        }
    }
    plain
}

/// What hangs on scopes.
const SCOPED: [&str; 3] = [
    "roleAssignments",
    "roleEligibilityScheduleInstances",
    "roleEligibilityScheduleRequests",
];

/// Collection, scope and name of what hangs on an Azure scope, which may have any depth.
fn scoped(segments: &[String]) -> Option<(&'static str, Vec<String>)> {
    let of = |window: &[String]| {
        let authorization = window[0].eq_ignore_ascii_case("providers")
            && window[1].eq_ignore_ascii_case("Microsoft.Authorization");
        let known = SCOPED
            .into_iter()
            .find(|known| window[2].eq_ignore_ascii_case(known));
        known.filter(|_| authorization)
    };
    let mut windows = segments.windows(3).enumerate();
    let (at, collection) = windows.find_map(|(at, window)| Some((at, of(window)?)))?;
    let mut arguments = vec![format!("/{}", segments[..at].join("/"))];
    arguments.extend(segments[at + 3..].iter().cloned());
    (arguments.len() <= 2).then_some((collection, arguments))
}

fn find_scoped(method: &str, collection: &str, arguments: Vec<String>) -> Result<Found, ApiError> {
    let route = ROUTES.iter().find(|route| {
        let rest = route.pattern.strip_prefix("{scope}/");
        let rest = rest.and_then(|rest| rest.strip_prefix(collection));
        rest.is_some_and(|rest| rest.is_empty() == (arguments.len() == 1)) && route.method == method
    });
    match route {
        Some(route) => Ok(Found { route, arguments }),
        None => Err(ApiError::new(
            405,
            "MethodNotAllowed",
            "The method is not allowed.",
        )),
    }
}

fn fits(pattern: &[&str], segments: &[String]) -> bool {
    pattern.iter().zip(segments).all(|(pattern, segment)| {
        // A variable segment never stands for `$ref`: the two addresses do different things.
        (pattern.starts_with('{') && segment != "$ref") || pattern == segment
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &str, path: &str) -> Result<(&'static str, Vec<String>), u16> {
        let segments: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        find(method, &segments)
            .map(|found| (found.route.operation, found.arguments))
            .map_err(|error| error.status)
    }

    #[test]
    fn paths_find_their_endpoint() {
        let two = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        for (method, path, expected) in [
            (
                "GET",
                "/graph/v1.0/users/delta",
                Ok(("delta_users", vec![])),
            ),
            (
                "DELETE",
                "/graph/v1.0/groups/g/members/u/$ref",
                Ok(("remove_member", two("g", "u"))),
            ),
            (
                "DELETE",
                "/graph/v1.0/groups/g/members/u",
                Ok(("delete_member_object", two("g", "u"))),
            ),
            ("DELETE", "/graph/v1.0/groups/g/members/$ref", Err(405)),
            (
                "GET",
                "/graph/v1.0/servicePrincipals(appId='a')",
                Ok(("get_service_principal", vec!["appId=a".into()])),
            ),
            ("GET", "/graph/v1.0/nonsense", Err(400)),
            ("PUT", "/graph/v1.0/users", Err(405)),
            ("GET", "/graph/beta/users", Err(404)),
            (
                "DELETE",
                "/arm/subscriptions/s/resourceGroups/r/providers/Microsoft.Authorization/roleAssignments/n",
                Ok((
                    "delete_azure_role",
                    two("/subscriptions/s/resourceGroups/r", "n"),
                )),
            ),
            (
                "GET",
                "/arm/providers/Microsoft.Authorization/roleAssignments",
                Ok(("list_azure_roles", vec!["/".into()])),
            ),
        ] {
            assert_eq!(found(method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn operations_are_named_once() {
        let mut names: Vec<&str> = ROUTES.iter().map(|route| route.operation).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ROUTES.len());
    }
}
