//! Users.

use serde_json::{Value, json};

use super::{body, grown, page};
use crate::exchange::Reply;
use crate::oidc::error::Refusal;
use crate::oidc::settings::{PutUser, Settings};
use crate::oidc::state::{Realm, User};
use crate::passage::Call;

/// `GET users?username=&email=&search=&exact=&first=&max=`. Service accounts are left out, as Keycloak does.
pub fn list(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let settings = &realm.settings;
    let found = realm.users.values();
    let found =
        found.filter(|user| user.service_account_of.is_none() && fits(user, settings, call));
    page::cut(found.map(|user| shown(user, settings)), settings, call)
}

/// `GET users/count`.
pub fn count(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let found = realm.users.values();
    let count = found.filter(|user| fits(user, &realm.settings, call));
    Ok(Reply::json(200, &json!(count.count())))
}

/// `GET users/{id}`.
pub fn get(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let user = super::user(realm, call)?;
    Ok(Reply::json(200, &shown(user, &realm.settings)))
}

/// `PUT users/{id}`.
pub fn update(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let sent = body(call)?;
    let keeps = realm.settings.unconfirmed.put_user == PutUser::Merge;
    let user = super::user_mut(realm, call)?;
    let before = shown(user, &Settings::default());
    let text = |name: &str, old: &str| match sent[name].as_str() {
        Some(text) => text.to_owned(),
        None if keeps => old.to_owned(),
        None => String::new(),
    };
    user.first_name = text("firstName", &user.first_name);
    user.last_name = text("lastName", &user.last_name);
    user.email = text("email", &user.email);
    match sent["attributes"].as_object() {
        Some(attributes) => user.attributes.clone_from(attributes),
        None if keeps => {}
        None => user.attributes.clear(),
    }
    let was_enabled = user.enabled;
    user.enabled = sent["enabled"].as_bool().unwrap_or(keeps && was_enabled);
    let (enabled, after) = (user.enabled, shown(user, &Settings::default()));
    if was_enabled && !enabled {
        realm.after_disabling(call.argument(1));
    }
    let reply = Reply::empty(204);
    Ok(if before == after {
        reply.unchanged()
    } else {
        reply
    })
}

/// `DELETE users/{id}`.
pub fn delete(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    super::user(realm, call)?;
    realm.delete_user(call.argument(1));
    Ok(Reply::empty(204))
}

fn fits(user: &User, settings: &Settings, call: &Call) -> bool {
    if settings.ignore_filter {
        return true;
    }
    let exact = call.parameter("exact") == Some("true") && !settings.ignore_exact;
    let same = |value: &str, wanted: &str| match exact {
        true => value.eq_ignore_ascii_case(wanted),
        false => value.to_lowercase().contains(&wanted.to_lowercase()),
    };
    let by = |name: &str, value: &str| {
        let wanted = call.parameter(name);
        wanted.is_none_or(|wanted| same(value, wanted))
    };
    let everywhere = call.parameter("search").is_none_or(|wanted| {
        let values = [
            &user.username,
            &user.email,
            &user.first_name,
            &user.last_name,
        ];
        values.iter().any(|value| same(value, wanted))
    });
    by("username", &user.username) && by("email", &user.email) && everywhere
}

/// A user as they are answered.
pub fn shown(user: &User, settings: &Settings) -> Value {
    let mut shown = json!({
        "id": user.id,
        "username": user.username,
        "enabled": user.enabled,
        "emailVerified": true,
        "createdTimestamp": user.created_ms,
        "notBefore": user.not_before_s,
        "totp": user.credentials.values().any(|kind| kind == "otp"),
        "disableableCredentialTypes": [],
        "requiredActions": [],
        "access": { "manage": true },
    });
    for (name, value) in [
        ("email", &user.email),
        ("firstName", &user.first_name),
        ("lastName", &user.last_name),
    ] {
        if !value.is_empty() {
            shown[name] = json!(value);
        }
    }
    if !user.attributes.is_empty() {
        shown["attributes"] = json!(user.attributes);
    }
    if let Some(client) = &user.service_account_of {
        shown["serviceAccountClientId"] = json!(client);
    }
    grown(shown, settings)
}
