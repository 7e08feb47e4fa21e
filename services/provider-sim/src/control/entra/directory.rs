//! `POST /control/entra/{tenant}/seed-directory`: a company of any size, the same for the same seed.

use super::seed::{
    self, SeedApplication, SeedAzure, SeedDevice, SeedDocument, SeedGrant, SeedGroup,
    SeedGroupKind, SeedManagementGroup, SeedPim, SeedRole, SeedSecret, SeedSubscription, SeedUser,
};
use crate::control::Answer;
use crate::control::people::{Person, Wish, teams};
use crate::dice::Dice;
use crate::entra::Tenant;

const ACCESS_GROUPS: [&str; 6] = [
    "VPN",
    "Production read",
    "Production write",
    "Source code",
    "Customer data",
    "On-call",
];
const DYNAMIC_GROUPS: [&str; 2] = ["All employees", "Berlin office"];
const SYNCED_GROUPS: [&str; 2] = ["AD File Shares", "AD Printers"];
const LISTS: [&str; 2] = ["Announcements", "Lunch"];
const APPS: [&str; 8] = [
    "Git Hosting",
    "Issue Tracker",
    "Wiki",
    "Chat",
    "Monitoring",
    "Expense Reports",
    "CRM",
    "Help Desk",
];
const ROLES: [&str; 4] = [
    "Helpdesk Administrator",
    "User Administrator",
    "Groups Administrator",
    "Security Reader",
];
const LICENCES: [&str; 2] = [
    "6fd2c87f-b296-42f0-b197-1e91e994b900",
    "f30db892-07e9-47e9-837c-80727f46fd3d",
];
/// Inherited from All employees.
const BASE_LICENCE: &str = "18181a46-0d4e-45cd-891e-60aabd171b4e";
const METHODS: [&str; 4] = [
    "phoneMethods",
    "microsoftAuthenticatorMethods",
    "fido2Methods",
    "softwareOathMethods",
];
const SUBSCRIPTIONS: [(&str, &str); 2] = [
    ("11111111-1111-4111-a111-111111111111", "Production"),
    ("22222222-2222-4222-a222-222222222222", "Sandbox"),
];

/// Plants a directory and answers with its users and applications.
pub fn plant(tenant: &mut Tenant, seed: u64, wish: &Wish, now_ms: i64) -> Answer {
    let domain = wish.domain();
    let people = wish.grant(seed)?;
    // Planted apart, so that the answer lists people only.
    let first = SeedDocument {
        users: vec![custodian(domain)],
        ..SeedDocument::default()
    };
    seed::plant(tenant, &first, now_ms)?;
    let document = SeedDocument {
        management_groups: vec![SeedManagementGroup {
            name: "everything".into(),
        }],
        subscriptions: SUBSCRIPTIONS.iter().map(subscription).collect(),
        groups: groups(domain),
        applications: applications(),
        users: people.into_iter().enumerate().map(person).collect(),
    };
    seed::plant(tenant, &document, now_ms)
}

fn subscription((id, name): &(&str, &str)) -> SeedSubscription {
    SeedSubscription {
        id: (*id).into(),
        name: (*name).into(),
        management_group: Some("everything".into()),
        locked: false,
    }
}

/// The account that owns every team, so that no leaver is the last owner, and that stays Global Administrator.
fn custodian(domain: &str) -> SeedUser {
    SeedUser {
        login: format!("custodian@{domain}"),
        first_name: "Custodian".into(),
        roles: vec![role("Global Administrator")],
        azure: vec![azure("/", "Owner")],
        ..SeedUser::default()
    }
}

fn groups(domain: &str) -> Vec<SeedGroup> {
    let named = |names: &'static [&'static str], kind: SeedGroupKind| {
        names.iter().map(move |name| SeedGroup {
            name: (*name).into(),
            kind,
            ..SeedGroup::default()
        })
    };
    let mut groups: Vec<SeedGroup> = named(teams(), SeedGroupKind::Team)
        .map(|group| SeedGroup {
            owners: vec![format!("custodian@{domain}")],
            ..group
        })
        .chain(named(&ACCESS_GROUPS, SeedGroupKind::Security))
        .chain(named(&DYNAMIC_GROUPS, SeedGroupKind::Dynamic))
        .chain(named(&SYNCED_GROUPS, SeedGroupKind::Synced))
        .chain(named(&LISTS, SeedGroupKind::Distribution))
        .collect();
    for group in &mut groups {
        if group.name == DYNAMIC_GROUPS[0] {
            group.licences = vec![BASE_LICENCE.into()];
            group.rule_tests_enabled = true;
        }
        if group.name == ACCESS_GROUPS[1] {
            group.azure = vec![azure(
                "/subscriptions/11111111-1111-4111-a111-111111111111",
                "Reader",
            )];
        }
    }
    groups.push(SeedGroup {
        name: "Directory operators".into(),
        kind: SeedGroupKind::RoleAssignable,
        roles: vec![role("Groups Administrator")],
        ..SeedGroup::default()
    });
    groups
}

fn applications() -> Vec<SeedApplication> {
    let application = |(number, name): (usize, &&str)| SeedApplication {
        name: (*name).into(),
        third_party: number % 3 == 2,
        secrets: vec![SeedSecret {
            name: "production".into(),
            value: None,
        }],
        keys: vec![SeedSecret::default()],
        assigned: vec![teams()[number % teams().len()].into()],
        grants: vec![SeedGrant {
            scope: "User.Read".into(),
            ..SeedGrant::default()
        }],
        azure: vec![azure(
            "/subscriptions/22222222-2222-4222-a222-222222222222",
            "Reader",
        )],
        ..SeedApplication::default()
    };
    APPS.iter().enumerate().map(application).collect()
}

fn person((number, person): (usize, Person)) -> SeedUser {
    let Person {
        login,
        first_name,
        last_name,
        teams,
        mut dice,
    } = person;
    let dice = &mut dice;
    let mut user = SeedUser {
        login,
        first_name: first_name.into(),
        last_name: last_name.into(),
        employee_id: Some(format!("E{:05}", number + 1)),
        sessions: dice.between(1, 3) as u64,
        groups: memberships(dice, &teams),
        app_roles: some(dice, &APPS, 1, 3),
        methods: some(dice, &METHODS, 1, 2),
        devices: vec![SeedDevice {
            name: format!("{first_name}'s device"),
            ..SeedDevice::default()
        }],
        ..SeedUser::default()
    };
    user.methods.push("passwordMethods".into());
    user.grants = some(dice, &APPS, 0, 2).into_iter().map(grant).collect();
    if dice.chance(0.6) {
        user.licences = some(dice, &LICENCES, 1, 1);
    }
    if dice.chance(0.06) {
        user.roles = some(dice, &ROLES, 1, 2)
            .iter()
            .map(|name| role(name))
            .collect();
    }
    if dice.chance(0.06) {
        user.eligible_roles = vec![role(ROLES[dice.below(ROLES.len())])];
    }
    if dice.chance(0.05) {
        user.eligible_groups = vec![SeedPim {
            group: ACCESS_GROUPS[2].into(),
            ..SeedPim::default()
        }];
    }
    if dice.chance(0.1) {
        user.owns = vec![teams[0].into()];
    }
    if dice.chance(0.15) {
        let (id, _) = dice.pick(&SUBSCRIPTIONS);
        user.azure = vec![azure(&format!("/subscriptions/{id}"), "Contributor")];
    }
    user
}

fn memberships(dice: &mut Dice, teams: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = teams.iter().map(|team| (*team).to_owned()).collect();
    names.extend(some(dice, &ACCESS_GROUPS, 1, 3));
    names.push(DYNAMIC_GROUPS[0].into());
    if dice.chance(0.3) {
        names.extend(some(dice, &SYNCED_GROUPS, 1, 1));
    }
    if dice.chance(0.3) {
        names.extend(some(dice, &LISTS, 1, 1));
    }
    if dice.chance(0.03) {
        names.push("Directory operators".into());
    }
    names
}

fn role(name: &str) -> SeedRole {
    SeedRole {
        role: name.into(),
        ..SeedRole::default()
    }
}

fn azure(scope: &str, role: &str) -> SeedAzure {
    SeedAzure {
        scope: scope.into(),
        role: role.into(),
        ..SeedAzure::default()
    }
}

fn grant(client: String) -> SeedGrant {
    SeedGrant {
        client,
        scope: "User.Read offline_access".into(),
        ..SeedGrant::default()
    }
}

/// Between `low` and `high` different ones of `items`.
fn some(dice: &mut Dice, items: &[&str], low: usize, high: usize) -> Vec<String> {
    let mut left = items.to_vec();
    let count = dice.between(low, high).min(left.len());
    (0..count)
        .map(|_| left.swap_remove(dice.below(left.len())).to_owned())
        .collect()
}
