//! Authentication methods: one list of several types, one collection for each type to delete from.

use serde_json::json;

use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::page;
use crate::entra::render;
use crate::entra::state::{Kind, Table, Tenant, flag, record, text};
use crate::exchange::Reply;

/// Collections below `/users/{user}/authentication` and the type of what is in them.
pub const COLLECTIONS: [(&str, &str); 10] = [
    ("passwordMethods", "passwordAuthenticationMethod"),
    ("phoneMethods", "phoneAuthenticationMethod"),
    (
        "microsoftAuthenticatorMethods",
        "microsoftAuthenticatorAuthenticationMethod",
    ),
    ("fido2Methods", "fido2AuthenticationMethod"),
    ("softwareOathMethods", "softwareOathAuthenticationMethod"),
    ("emailMethods", "emailAuthenticationMethod"),
    (
        "temporaryAccessPassMethods",
        "temporaryAccessPassAuthenticationMethod",
    ),
    (
        "windowsHelloForBusinessMethods",
        "windowsHelloForBusinessAuthenticationMethod",
    ),
    (
        "platformCredentialMethods",
        "platformCredentialAuthenticationMethod",
    ),
    (
        "externalAuthenticationMethods",
        "externalAuthenticationMethod",
    ),
];

/// `GET /users/{user}/authentication/methods`.
pub fn list(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let user = tenant.id_of(Kind::User, call.argument(0))?;
    let items = render::rows(&tenant.store.of(Table::Methods, &user));
    page::reply(&tenant.settings, call, "authenticationMethods", items)
}

/// `DELETE /users/{user}/authentication/{collection}/{method}`.
pub fn delete(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let user = tenant.id_of(Kind::User, call.argument(0))?;
    let (collection, id) = (call.argument(1), call.argument(2));
    let kind = COLLECTIONS.iter().find(|(name, _)| *name == collection);
    let kind = kind
        .ok_or_else(|| ApiError::new(400, "BadRequest", "Resource not found for the segment."))?;
    let method = tenant.store.get(Table::Methods, &user, id);
    let method = method
        .filter(|method| text(method, "@odata.type").ends_with(kind.1))
        .ok_or_else(|| {
            ApiError::new(
                404,
                "resourceNotFound",
                "The requested user does not have this method.",
            )
        })?;
    if kind.0 == "passwordMethods" {
        return Err(ApiError::new(
            405,
            "methodNotAllowed",
            "Password methods cannot be deleted.",
        ));
    }
    let others = tenant.store.of(Table::Methods, &user);
    let others = others.iter().filter(|row| {
        row.id != id && !text(&row.record, "@odata.type").ends_with(COLLECTIONS[0].1)
    });
    let refuses = tenant.settings.unconfirmed.delete_default_method == 400;
    if refuses && flag(&method, "_default") && others.count() > 0 {
        let message =
            "The default authentication method cannot be deleted while other methods exist.";
        return Err(ApiError::new(400, "badRequest", message));
    }
    tenant.store.remove(Table::Methods, &user, id);
    tenant.audit(
        call,
        "UserManagement",
        "User deleted security info",
        &[&user],
    );
    Ok(Reply::empty(204))
}

/// Registers a method; the first one that is no password is the default.
pub fn give(tenant: &mut Tenant, user: &str, collection: &str) -> Result<(), String> {
    let kind = COLLECTIONS.iter().find(|(name, _)| *name == collection);
    let (_, kind) = kind.ok_or_else(|| format!("{collection}: no collection of methods"))?;
    let held = tenant.store.of(Table::Methods, user);
    let default =
        collection != "passwordMethods" && !held.iter().any(|row| flag(&row.record, "_default"));
    let id = tenant.new_id();
    let method = record(json!({
        "@odata.type": format!("#microsoft.graph.{kind}"), "id": id, "_default": default,
    }));
    tenant.store.put(Table::Methods, user, &id, method);
    Ok(())
}
