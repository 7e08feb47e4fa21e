//! `POST /control/entra/{tenant}/seed-directory`: a company of any size, the same for the same seed.

use serde::Deserialize;

use super::seed::{
    self, SeedApplication, SeedAzure, SeedDevice, SeedDocument, SeedGrant, SeedGroup,
    SeedGroupKind, SeedManagementGroup, SeedPim, SeedRole, SeedSecret, SeedSubscription, SeedUser,
};
use crate::control::{Answer, Refusal};
use crate::dice::Dice;
use crate::entra::Tenant;

/// More would not be a directory to test with.
const PEOPLE_MAX: usize = 100_000;

const FIRST_NAMES: [&str; 16] = [
    "Ada", "Amir", "Anna", "Carlos", "Chen", "Elif", "Emil", "Grace", "Hana", "Ivan", "Jan",
    "Lena", "Maya", "Omar", "Priya", "Zoe",
];
const LAST_NAMES: [&str; 16] = [
    "Adler", "Bauer", "Berg", "Costa", "Diaz", "Fischer", "Haddad", "Ito", "Kaya", "Kim", "Mensah",
    "Novak", "Okafor", "Rossi", "Silva", "Weber",
];
const TEAMS: [&str; 8] = [
    "Engineering",
    "Platform",
    "Security",
    "Design",
    "Sales",
    "Support",
    "Finance",
    "People",
];
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

/// What kind of directory.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// How many people.
    people: usize,
    /// The domain of their logins.
    #[serde(default = "default_domain")]
    domain: String,
    /// Which of the directories of this size; another number is another company.
    #[serde(default)]
    variant: u64,
}

fn default_domain() -> String {
    "example.com".into()
}

/// Plants a directory and answers with its users and applications.
pub fn plant(tenant: &mut Tenant, seed: u64, wish: &Wish, now_ms: i64) -> Answer {
    if wish.people == 0 || wish.people > PEOPLE_MAX {
        return Err(Refusal(400, format!("people: must be 1 to {PEOPLE_MAX}")));
    }
    let purpose = format!(
        "entra directory {} {} {}",
        wish.people, wish.domain, wish.variant
    );
    let mut dice = Dice::new(seed, &purpose);
    // Planted apart, so that the answer lists people only.
    let first = SeedDocument {
        users: vec![custodian(&wish.domain)],
        ..SeedDocument::default()
    };
    seed::plant(tenant, &first, now_ms)?;
    let document = SeedDocument {
        management_groups: vec![SeedManagementGroup {
            name: "everything".into(),
        }],
        subscriptions: SUBSCRIPTIONS.iter().map(subscription).collect(),
        groups: groups(&wish.domain),
        applications: applications(),
        users: (0..wish.people)
            .map(|number| person(&mut dice, wish, number))
            .collect(),
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
    let mut groups: Vec<SeedGroup> = named(&TEAMS, SeedGroupKind::Team)
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
        assigned: vec![TEAMS[number % TEAMS.len()].into()],
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

fn person(dice: &mut Dice, wish: &Wish, number: usize) -> SeedUser {
    let (first, last) = (*dice.pick(&FIRST_NAMES), *dice.pick(&LAST_NAMES));
    let login = format!(
        "{}.{}.{}@{}",
        first.to_lowercase(),
        last.to_lowercase(),
        number + 1,
        wish.domain
    );
    let mut user = SeedUser {
        login,
        first_name: first.into(),
        last_name: last.into(),
        employee_id: Some(format!("E{:05}", number + 1)),
        sessions: dice.between(1, 3) as u64,
        groups: memberships(dice),
        app_roles: some(dice, &APPS, 1, 3),
        methods: some(dice, &METHODS, 1, 2),
        devices: vec![SeedDevice {
            name: format!("{first}'s device"),
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
            owner: false,
        }];
    }
    if dice.chance(0.1) {
        user.owns = some(dice, &TEAMS, 1, 1);
    }
    if dice.chance(0.15) {
        let (id, _) = dice.pick(&SUBSCRIPTIONS);
        user.azure = vec![azure(&format!("/subscriptions/{id}"), "Contributor")];
    }
    user
}

fn memberships(dice: &mut Dice) -> Vec<String> {
    let mut names = some(dice, &TEAMS, 1, 2);
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
