//! Every endpoint of the simulated application, in one list.

use super::api::{discovery, groups, lists, users};
use super::state::App;
use crate::passage::{Route, read, write};

/// The endpoints (RFC 7644 section 3.2).
#[rustfmt::skip]
pub static ROUTES: &[Route<App>] = &[
    read("GET", "/Users", ("users", "list_users"), lists::users),
    read("POST", "/Users/.search", ("users", "search_users"), lists::search_users),
    write("POST", "/Users", ("users", "create_user"), users::create),
    read("GET", "/Users/{user}", ("users", "get_user"), users::get),
    write("PUT", "/Users/{user}", ("users", "replace_user"), users::replace),
    write("PATCH", "/Users/{user}", ("users", "patch_user"), users::patch),
    write("DELETE", "/Users/{user}", ("users", "delete_user"), users::delete),

    read("GET", "/Groups", ("groups", "list_groups"), lists::groups),
    read("POST", "/Groups/.search", ("groups", "search_groups"), lists::search_groups),
    write("POST", "/Groups", ("groups", "create_group"), groups::create),
    read("GET", "/Groups/{group}", ("groups", "get_group"), groups::get),
    write("PUT", "/Groups/{group}", ("groups", "replace_group"), groups::replace),
    write("PATCH", "/Groups/{group}", ("groups", "patch_group"), groups::patch),
    write("DELETE", "/Groups/{group}", ("groups", "delete_group"), groups::delete),

    read("GET", "/ServiceProviderConfig", ("discovery", "get_config"), discovery::config),
    read("GET", "/ResourceTypes", ("discovery", "list_resource_types"), discovery::resource_types),
    read("GET", "/ResourceTypes/{type}", ("discovery", "get_resource_type"), discovery::resource_type),
    read("GET", "/Schemas", ("discovery", "list_schemas"), discovery::schemas),
    read("GET", "/Schemas/{urn}", ("discovery", "get_schema"), discovery::schema),
    read("GET", "/Me", ("discovery", "get_me"), discovery::not_implemented),
    write("POST", "/Bulk", ("bulk", "bulk"), discovery::not_implemented),
];
