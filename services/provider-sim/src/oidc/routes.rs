//! Every endpoint of the simulated provider, in one list.

use super::admin::{
    clients, consents, credentials, federation, groups, realm, role_mappings, roles, sessions,
    users,
};
use super::protocol::{discovery, global, introspection, registration, revocation, token};
use super::state::Realm;
use crate::passage::{Route, read, write};

/// The endpoints. Those of the standard stand twice: at the root, and where Keycloak has them.
#[rustfmt::skip]
pub static ROUTES: &[Route<Realm>] = &[
    read("GET", "/.well-known/openid-configuration", ("discovery", "get_metadata"), discovery::metadata),
    read("GET", "/.well-known/oauth-authorization-server", ("discovery", "get_server_metadata"), discovery::metadata),
    read("GET", "/jwks", ("discovery", "get_keys"), discovery::keys),
    write("POST", "/token", ("token", "issue_token"), token::issue),
    write("POST", "/revoke", ("revocation", "revoke_token"), revocation::revoke),
    read("POST", "/introspect", ("introspection", "introspect_token"), introspection::introspect),
    write("POST", "/global-token-revocation", ("revocation", "revoke_everything"), global::revoke),
    read("GET", "/register/{client}", ("registration", "get_registration"), registration::get),
    write("DELETE", "/register/{client}", ("registration", "delete_registration"), registration::delete),

    read("GET", "/realms/{realm}/.well-known/openid-configuration", ("discovery", "keycloak_metadata"), discovery::keycloak_metadata),
    read("GET", "/realms/{realm}/protocol/openid-connect/certs", ("discovery", "keycloak_keys"), discovery::keys),
    write("POST", "/realms/{realm}/protocol/openid-connect/token", ("token", "keycloak_token"), token::issue),
    write("POST", "/realms/{realm}/protocol/openid-connect/revoke", ("revocation", "keycloak_revoke"), revocation::revoke),
    read("POST", "/realms/{realm}/protocol/openid-connect/token/introspect", ("introspection", "keycloak_introspect"), introspection::introspect),

    read("GET", "/admin/realms/{realm}", ("realm", "get_realm"), realm::get),
    write("POST", "/admin/realms/{realm}/logout-all", ("realm", "log_out_everybody"), realm::log_out_everybody),
    write("POST", "/admin/realms/{realm}/push-revocation", ("realm", "push_revocation"), realm::push_revocation),

    read("GET", "/admin/realms/{realm}/users", ("users", "list_users"), users::list),
    read("GET", "/admin/realms/{realm}/users/count", ("users", "count_users"), users::count),
    read("GET", "/admin/realms/{realm}/users/{user}", ("users", "get_user"), users::get),
    write("PUT", "/admin/realms/{realm}/users/{user}", ("users", "update_user"), users::update),
    write("DELETE", "/admin/realms/{realm}/users/{user}", ("users", "delete_user"), users::delete),

    write("POST", "/admin/realms/{realm}/users/{user}/logout", ("users.sessions", "log_out_user"), sessions::log_out),
    read("GET", "/admin/realms/{realm}/users/{user}/sessions", ("users.sessions", "list_sessions"), sessions::list),
    read("GET", "/admin/realms/{realm}/users/{user}/offline-sessions/{client}", ("users.sessions", "list_offline_sessions"), sessions::list_offline),
    write("DELETE", "/admin/realms/{realm}/sessions/{session}", ("users.sessions", "delete_session"), sessions::delete),

    read("GET", "/admin/realms/{realm}/users/{user}/consents", ("users.consents", "list_consents"), consents::list),
    write("DELETE", "/admin/realms/{realm}/users/{user}/consents/{client}", ("users.consents", "revoke_consent"), consents::revoke),
    read("GET", "/admin/realms/{realm}/users/{user}/credentials", ("users.credentials", "list_credentials"), credentials::list),
    write("DELETE", "/admin/realms/{realm}/users/{user}/credentials/{credential}", ("users.credentials", "delete_credential"), credentials::delete),
    read("GET", "/admin/realms/{realm}/users/{user}/groups", ("users.groups", "list_user_groups"), groups::list),
    write("PUT", "/admin/realms/{realm}/users/{user}/groups/{group}", ("users.groups", "join_group"), groups::join),
    write("DELETE", "/admin/realms/{realm}/users/{user}/groups/{group}", ("users.groups", "leave_group"), groups::leave),
    read("GET", "/admin/realms/{realm}/users/{user}/federated-identity", ("users.federation", "list_federated"), federation::list),
    write("DELETE", "/admin/realms/{realm}/users/{user}/federated-identity/{alias}", ("users.federation", "unlink"), federation::unlink),

    read("GET", "/admin/realms/{realm}/users/{user}/role-mappings", ("users.roles", "list_roles"), role_mappings::list),
    write("POST", "/admin/realms/{realm}/users/{user}/role-mappings/realm", ("users.roles", "add_realm_roles"), role_mappings::add_realm),
    write("DELETE", "/admin/realms/{realm}/users/{user}/role-mappings/realm", ("users.roles", "remove_realm_roles"), role_mappings::remove_realm),
    write("POST", "/admin/realms/{realm}/users/{user}/role-mappings/clients/{client}", ("users.roles", "add_client_roles"), role_mappings::add_client),
    write("DELETE", "/admin/realms/{realm}/users/{user}/role-mappings/clients/{client}", ("users.roles", "remove_client_roles"), role_mappings::remove_client),

    read("GET", "/admin/realms/{realm}/roles", ("roles", "list_realm_roles"), roles::list),
    read("GET", "/admin/realms/{realm}/roles/{role}/users", ("roles", "list_realm_role_users"), roles::users),
    read("GET", "/admin/realms/{realm}/clients/{client}/roles", ("roles", "list_client_roles"), roles::of_client),
    read("GET", "/admin/realms/{realm}/clients/{client}/roles/{role}/users", ("roles", "list_client_role_users"), roles::users_of_client),

    read("GET", "/admin/realms/{realm}/groups", ("groups", "list_groups"), groups::all),
    read("GET", "/admin/realms/{realm}/groups/{group}", ("groups", "get_group"), groups::get),
    read("GET", "/admin/realms/{realm}/group-by-path/{first}", ("groups", "get_group_by_path"), groups::by_path),
    read("GET", "/admin/realms/{realm}/group-by-path/{first}/{second}", ("groups", "get_subgroup_by_path"), groups::by_path),
    read("GET", "/admin/realms/{realm}/groups/{group}/members", ("groups", "list_members"), groups::members),
    read("GET", "/admin/realms/{realm}/groups/{group}/role-mappings", ("groups", "list_group_roles"), role_mappings::of_group),
    read("GET", "/admin/realms/{realm}/groups/{group}/role-mappings/realm/composite", ("groups", "list_group_realm_roles"), role_mappings::of_group_whole),
    read("GET", "/admin/realms/{realm}/groups/{group}/role-mappings/clients/{client}/composite", ("groups", "list_group_client_roles"), role_mappings::of_group_at_client),

    read("GET", "/admin/realms/{realm}/clients", ("clients", "list_clients"), clients::list),
    read("GET", "/admin/realms/{realm}/clients/{client}", ("clients", "get_client"), clients::get),
    write("PUT", "/admin/realms/{realm}/clients/{client}", ("clients", "update_client"), clients::update),
    write("DELETE", "/admin/realms/{realm}/clients/{client}", ("clients", "delete_client"), clients::delete),
    write("POST", "/admin/realms/{realm}/clients/{client}/client-secret", ("clients", "rotate_secret"), clients::rotate_secret),
    read("GET", "/admin/realms/{realm}/clients/{client}/service-account-user", ("clients", "get_service_account"), clients::service_account),
    read("GET", "/admin/realms/{realm}/clients/{client}/user-sessions", ("clients", "list_client_sessions"), clients::sessions),
    read("GET", "/admin/realms/{realm}/clients/{client}/offline-sessions", ("clients", "list_client_offline_sessions"), clients::offline_sessions),
    write("POST", "/admin/realms/{realm}/clients/{client}/push-revocation", ("clients", "push_client_revocation"), clients::push_revocation),
];
