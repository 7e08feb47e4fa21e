//! What the items of the lists stand for: accounts, applications, and what hangs on them.

use serde_json::Value;
use sever_domain::EntitlementKind as Kind;
use sever_domain::entitlement::Entitlement;
use sever_domain::inventory::ObservedKind;
use sever_provider::{SeenAccount, SeenEntitlement, Unreadable};

use crate::families::{app_roles, grants, licences, roles, text};
use crate::integration::Principal;
use crate::user::User;

/// A user and the licences that the list shows with it.
pub(super) fn of_user(mut user: User) -> (SeenAccount, Vec<SeenEntitlement>) {
    let states = user.license_assignment_states.take().unwrap_or_default();
    let held = licences::entitlements(&states).into_iter();
    let held = held
        .filter(|licence| !licence.provider_key.is_empty())
        .map(|licence| seen(&user.id, licence))
        .collect();
    let account = user.into_account();
    let seen = SeenAccount {
        kind: ObservedKind::Account,
        provider_id: account.provider_id,
        state: account.state,
        attributes: account.attributes,
    };
    (seen, held)
}

/// A service principal; one without an id is set aside.
pub(super) fn of_principal(item: Value) -> Result<SeenAccount, Unreadable> {
    let id = text(&item, "id").to_owned();
    if id.is_empty() {
        return Err(Unreadable::without(Kind::AppAssignment, &item, "id"));
    }
    Ok(SeenAccount {
        kind: ObservedKind::Application,
        provider_id: id,
        state: Principal(item).state(),
        attributes: Default::default(),
    })
}

/// An app role assignment of the application `resource`: a person's is an assignment, another application's a permission. What a
/// group was given comes with its membership.
pub(super) fn of_assignment(item: &Value, resource: &str) -> Vec<SeenEntitlement> {
    let principal = text(item, "principalId");
    let one = std::slice::from_ref(item);
    let held = match text(item, "principalType").to_ascii_lowercase().as_str() {
        _ if text(item, "resourceId") != resource => Vec::new(),
        "user" => app_roles::of_person(one, principal),
        "serviceprincipal" => app_roles::of_application(one, principal),
        _ => Vec::new(),
    };
    held.into_iter().map(|held| seen(principal, held)).collect()
}

/// A member of a group, or an owner of an object, where it is an account. Groups in groups are not: what they give is shown at no
/// account.
pub(super) fn account_of(item: &Value) -> Result<Option<&str>, &'static str> {
    let id = text(item, "id");
    match text(item, "@odata.type") {
        "" => Err("type"),
        _ if id.is_empty() => Err("id"),
        "#microsoft.graph.user" | "#microsoft.graph.servicePrincipal" => Ok(Some(id)),
        _ => Ok(None),
    }
}

/// A directory role that is held or can be activated.
pub(super) fn of_role(kind: Kind, item: &Value) -> Option<SeenEntitlement> {
    let principal = text(item, "principalId");
    let one = std::slice::from_ref(item);
    let held = match kind {
        Kind::EligibleRole => roles::eligible(one, &[], principal),
        _ => roles::active(one, &[], principal),
    };
    let held = held.into_iter().next()?;
    (!principal.is_empty() && !held.provider_key.is_empty()).then(|| seen(principal, held))
}

/// A delegated grant: the client's, and the person's who consented.
pub(super) fn of_grant(item: &Value) -> Vec<SeenEntitlement> {
    let one = std::slice::from_ref(item);
    let (client, person) = (text(item, "clientId"), text(item, "principalId"));
    let of_client = grants::of_client(one, client).into_iter();
    let of_client = of_client
        .filter(|_| !client.is_empty())
        .map(|held| seen(client, held));
    let of_person = grants::of_person(one, person).into_iter();
    let of_person = of_person
        .filter(|_| !person.is_empty())
        .map(|held| seen(person, held));
    of_client.chain(of_person).collect()
}

pub(super) fn seen(account: &str, held: Entitlement) -> SeenEntitlement {
    SeenEntitlement {
        account_id: account.to_owned(),
        kind: held.kind,
        provider_key: held.provider_key,
        privileged: held.privileged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_grant_is_the_clients_and_the_persons() {
        let one = json!({"clientId": "c", "resourceId": "r", "principalId": "u", "consentType": "Principal"});
        let holders: Vec<(String, String)> = of_grant(&one)
            .into_iter()
            .map(|held| (held.account_id, held.provider_key))
            .collect();
        let expected = [("c", "r|u"), ("u", "c|r")];
        assert_eq!(holders, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
        let all = json!({"clientId": "c", "resourceId": "r", "principalId": null, "consentType": "AllPrincipals"});
        let all = of_grant(&all);
        assert_eq!((all.len(), all[0].privileged), (1, true));
    }

    #[test]
    fn what_a_group_was_given_is_nobodys_assignment() {
        let of = |kind: &str| {
            let item = json!({"principalId": "p", "principalType": kind, "resourceId": "r", "appRoleId": "x"});
            of_assignment(&item, "r").first().map(|held| held.kind)
        };
        assert_eq!(of("User"), Some(Kind::AppAssignment));
        assert_eq!(of("ServicePrincipal"), Some(Kind::Permission));
        assert_eq!(of("Group"), None);
    }

    #[test]
    fn only_users_and_applications_are_accounts() {
        let of = |item: serde_json::Value| account_of(&item).map(|id| id.map(str::to_owned));
        let user = json!({"id": "u", "@odata.type": "#microsoft.graph.user"});
        assert_eq!(of(user), Ok(Some("u".into())));
        assert_eq!(
            of(json!({"id": "g", "@odata.type": "#microsoft.graph.group"})),
            Ok(None)
        );
        assert_eq!(of(json!({"id": "u"})), Err("type"));
    }
}
