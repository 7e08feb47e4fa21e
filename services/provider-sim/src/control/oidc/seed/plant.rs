//! Puts a seed document into a realm.

use std::collections::BTreeMap;

use super::document::{SeedClient, SeedToken, SeedUser};
use crate::control::Refusal;
use crate::oidc::state::{Client, Realm, Session, Token, TokenKind, User};

/// Seeded things were there before anybody looked.
const AGE_MS: i64 = 60_000;

/// Plants a client and returns its internal id.
pub fn client(realm: &mut Realm, seed: &SeedClient, now_ms: i64) -> String {
    if let Some(id) = realm.find_client(&seed.client_id) {
        return id;
    }
    let uuid = seed.id.clone().unwrap_or_else(|| realm.new_id());
    let secret = seed.secret.clone().unwrap_or_else(|| realm.new_secret());
    let acts = seed.service_account.is_some() || !seed.admin_roles.is_empty();
    let service_account = acts.then(|| {
        let id = realm.new_id();
        let names = seed.service_account.iter().flatten();
        let realm_roles = names.map(|name| role(realm, name)).collect();
        let user = User {
            id: id.clone(),
            username: format!("service-account-{}", seed.client_id),
            enabled: true,
            created_ms: now_ms,
            realm_roles,
            service_account_of: Some(uuid.clone()),
            ..User::default()
        };
        realm.users.insert(id.clone(), user);
        id
    });
    let client = Client {
        uuid: uuid.clone(),
        client_id: seed.client_id.clone(),
        name: seed.name.clone().unwrap_or_else(|| seed.client_id.clone()),
        enabled: !seed.disabled,
        authentication: seed.authentication,
        secret,
        not_before_s: 0,
        redirect_uris: seed.redirect_uris.clone(),
        service_account,
        admin_roles: seed.admin_roles.clone(),
        registration_token: seed.registration_token.clone(),
    };
    realm.clients.insert(uuid.clone(), client);
    uuid
}

/// Plants a user with all that hangs on them, and returns their id.
pub fn user(realm: &mut Realm, seed: &SeedUser, now_ms: i64) -> Result<String, Refusal> {
    let known = seed.id.as_ref().filter(|id| realm.users.contains_key(*id));
    let id = match known {
        Some(id) => id.clone(),
        None => account(realm, seed, now_ms)?,
    };
    let groups: Vec<String> = seed.groups.iter().map(|name| group(realm, name)).collect();
    let roles: Vec<String> = seed
        .realm_roles
        .iter()
        .map(|name| role(realm, name))
        .collect();
    let client_roles = by_client(realm, &seed.client_roles)?;
    let consents = by_client(realm, &seed.consents)?;
    let credentials: Vec<(String, String)> = seed
        .credentials
        .iter()
        .map(|kind| (realm.new_id(), kind.clone()))
        .collect();
    if let Some(user) = realm.users.get_mut(&id) {
        user.groups.extend(groups);
        user.realm_roles.extend(roles);
        user.credentials.extend(credentials);
        user.federated.extend(seed.federated.clone());
        for (client, names) in client_roles {
            user.client_roles.entry(client).or_default().extend(names);
        }
        for (client, scopes) in consents {
            user.consents.entry(client).or_default().extend(scopes);
        }
    }
    for name in &seed.sessions {
        let client = find_client(realm, name)?;
        session(realm, &id, &client, false, now_ms);
    }
    for token in &seed.tokens {
        plant_token(realm, &id, token, now_ms)?;
    }
    Ok(id)
}

fn account(realm: &mut Realm, seed: &SeedUser, now_ms: i64) -> Result<String, Refusal> {
    let username = seed.login.to_lowercase();
    if username.is_empty() {
        return Err(Refusal(400, "users[].login: is missing".into()));
    }
    if realm.users.values().any(|user| user.username == username) {
        return Err(Refusal(409, format!("users[].login: {username} is taken")));
    }
    let id = seed.id.clone().unwrap_or_else(|| realm.new_id());
    let user = User {
        id: id.clone(),
        username,
        email: seed.email.clone().unwrap_or_else(|| seed.login.clone()),
        first_name: seed.first_name.clone(),
        last_name: seed.last_name.clone(),
        enabled: !seed.disabled,
        attributes: seed.attributes.clone(),
        created_ms: now_ms - AGE_MS,
        ..User::default()
    };
    realm.users.insert(id.clone(), user);
    Ok(id)
}

/// Gives a user a token, with the session that one that renews belongs to.
pub fn plant_token(
    realm: &mut Realm,
    user: &str,
    seed: &SeedToken,
    now_ms: i64,
) -> Result<(), Refusal> {
    let client = find_client(realm, &seed.client)?;
    let offline = seed.kind == TokenKind::Offline;
    let session = session(realm, user, &client, offline, now_ms);
    let secret = seed.secret.clone().unwrap_or_else(|| realm.new_secret());
    let settings = &realm.settings;
    let lifetime_s = seed.lifetime_s.unwrap_or(match seed.kind {
        TokenKind::Access => settings.access_token_lifetime_s,
        TokenKind::Refresh | TokenKind::Offline => settings.refresh_token_lifetime_s,
    });
    let token = Token {
        kind: seed.kind,
        client,
        user: Some(user.to_owned()),
        grant: session.clone(),
        session: Some(session),
        scopes: seed.scopes.clone(),
        issued_ms: now_ms - AGE_MS,
        expires_ms: now_ms + lifetime_s * 1000,
        revoked: false,
    };
    realm.tokens.insert(secret, token);
    Ok(())
}

/// The session of a user at a client, made where there is none.
pub fn session(realm: &mut Realm, user: &str, client: &str, offline: bool, now_ms: i64) -> String {
    let mut found = realm.sessions_of(user, offline);
    if let Some(session) = found.find(|session| session.clients.contains(client)) {
        return session.id.clone();
    }
    drop(found);
    let id = realm.new_id();
    let session = Session {
        id: id.clone(),
        user: user.to_owned(),
        clients: [client.to_owned()].into(),
        offline,
        started_ms: now_ms - AGE_MS,
    };
    realm.sessions.insert(id.clone(), session);
    id
}

/// The internal id of the client that `name` means.
pub fn find_client(realm: &Realm, name: &str) -> Result<String, Refusal> {
    realm
        .find_client(name)
        .ok_or_else(|| Refusal::not_found(&format!("the client {name:?}")))
}

fn by_client(
    realm: &Realm,
    names: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<(String, Vec<String>)>, Refusal> {
    names
        .iter()
        .map(|(client, names)| Ok((find_client(realm, client)?, names.clone())))
        .collect()
}

/// The id of the group `name`, made where it is missing.
pub fn group(realm: &mut Realm, name: &str) -> String {
    let known = realm.groups.iter().find(|(_, known)| *known == name);
    if let Some((id, _)) = known {
        return id.clone();
    }
    let id = realm.new_id();
    realm.groups.insert(id.clone(), name.to_owned());
    id
}

/// The id of the realm role `name`, made where it is missing.
pub fn role(realm: &mut Realm, name: &str) -> String {
    let known = realm.roles.iter().find(|(_, known)| *known == name);
    if let Some((id, _)) = known {
        return id.clone();
    }
    let id = realm.new_id();
    realm.roles.insert(id.clone(), name.to_owned());
    id
}
