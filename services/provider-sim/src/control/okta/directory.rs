//! `POST /control/okta/{org}/seed-directory`: a company of any size, the same for the same seed.

use serde::Deserialize;

use super::seed::{
    self, SeedApiToken, SeedApp, SeedClient, SeedDevice, SeedDocument, SeedFactor, SeedGrant,
    SeedGroup, SeedIdp, SeedLinked, SeedMembership, SeedRole, SeedToken, SeedUser,
};
use crate::control::{Answer, Refusal};
use crate::dice::Dice;
use crate::okta::Org;
use crate::okta::state::GroupKind;

/// More would not be a directory to test with.
const PEOPLE_MAX: usize = 200_000;

const FIRST_NAMES: [&str; 32] = [
    "Ada", "Amir", "Anna", "Bea", "Carlos", "Chen", "Dana", "Elif", "Emil", "Fatima", "Felix",
    "Grace", "Hana", "Hugo", "Ines", "Ivan", "Jan", "Kofi", "Lena", "Liam", "Maya", "Mei", "Nadia",
    "Noah", "Olga", "Omar", "Priya", "Rosa", "Sven", "Tara", "Yusuf", "Zoe",
];
const LAST_NAMES: [&str; 32] = [
    "Adler", "Almeida", "Bauer", "Berg", "Chandra", "Costa", "Diaz", "Dubois", "Eriksen",
    "Fischer", "Garcia", "Haddad", "Ito", "Jansen", "Kaya", "Keller", "Kim", "Lopez", "Mensah",
    "Meyer", "Novak", "Okafor", "Olsen", "Petrov", "Quinn", "Rossi", "Sato", "Silva", "Tanaka",
    "Vogel", "Weber", "Yilmaz",
];
const TEAMS: [&str; 16] = [
    "Engineering",
    "Platform",
    "Security",
    "Data",
    "Design",
    "Product",
    "Sales",
    "Marketing",
    "Support",
    "Finance",
    "Legal",
    "People",
    "Contractors",
    "Berlin",
    "London",
    "Toronto",
];
const ACCESS_GROUPS: [&str; 10] = [
    "VPN",
    "Production read",
    "Production write",
    "Source code",
    "Build system",
    "Customer data",
    "Payroll viewers",
    "On-call",
    "Office network",
    "Interviewers",
];
const DIRECTORY_GROUPS: [&str; 4] = [
    "AD Domain Users",
    "AD File Shares",
    "AD Printers",
    "AD Remote Desktop",
];
const APPS: [&str; 16] = [
    "Git Hosting",
    "Issue Tracker",
    "Wiki",
    "Chat",
    "Video Calls",
    "Cloud Console",
    "Monitoring",
    "Expense Reports",
    "Payroll",
    "CRM",
    "Help Desk",
    "Design Tool",
    "Mail",
    "Calendar",
    "Code Review",
    "Status Page",
];
const CLIENTS: [(&str, &str); 4] = [
    ("0oaclientmobile00001", "Mobile App"),
    ("0oaclientdesktop0001", "Desktop Sync"),
    ("0oaclientcli00000001", "Command Line"),
    ("0oaclientreports0001", "Reporting"),
];
const ROLES: [&str; 5] = [
    "HELP_DESK_ADMIN",
    "APP_ADMIN",
    "USER_ADMIN",
    "READ_ONLY_ADMIN",
    "ORG_ADMIN",
];
const FACTORS: [&str; 4] = ["push", "token:software:totp", "webauthn", "sms"];

/// What kind of directory.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// How many people.
    pub people: usize,
    /// The domain of their logins.
    #[serde(default = "default_domain")]
    pub domain: String,
    /// Which of the directories of this size; another number is another company.
    #[serde(default)]
    pub variant: u64,
}

/// The domain where none is given.
pub fn default_domain() -> String {
    "example.com".into()
}

/// Plants a directory and answers with its users.
pub fn plant(org: &mut Org, seed: u64, wish: &Wish, now_ms: i64) -> Answer {
    seed::plant(org, &document(seed, wish)?, now_ms)
}

/// The directory that `wish` describes, the same for the same seed.
pub fn document(seed: u64, wish: &Wish) -> Result<SeedDocument, Refusal> {
    if wish.people == 0 || wish.people > PEOPLE_MAX {
        return Err(Refusal(400, format!("people: must be 1 to {PEOPLE_MAX}")));
    }
    let mut dice = Dice::new(
        seed,
        &format!("directory {} {} {}", wish.people, wish.domain, wish.variant),
    );
    Ok(SeedDocument {
        groups: groups(),
        apps: apps(),
        idps: vec![SeedIdp {
            name: "Google".into(),
            kind: "GOOGLE".into(),
            ..SeedIdp::default()
        }],
        linked_objects: vec![SeedLinked {
            primary: "manager".into(),
            associated: "subordinate".into(),
        }],
        users: (0..wish.people)
            .map(|number| person(&mut dice, wish, number))
            .collect(),
        ..SeedDocument::default()
    })
}

fn groups() -> Vec<SeedGroup> {
    let okta = TEAMS
        .iter()
        .chain(&ACCESS_GROUPS)
        .map(|name| (name, GroupKind::OktaGroup));
    let directory = DIRECTORY_GROUPS
        .iter()
        .map(|name| (name, GroupKind::AppGroup));
    let named = okta.chain(directory);
    let mut groups: Vec<SeedGroup> = named
        .map(|(name, kind)| SeedGroup {
            name: (*name).into(),
            kind,
            ..SeedGroup::default()
        })
        .collect();
    let helpers = SeedRole {
        kind: "HELP_DESK_ADMIN".into(),
        ..SeedRole::default()
    };
    groups.push(SeedGroup {
        name: "Service Desk".into(),
        roles: vec![helpers],
        ..SeedGroup::default()
    });
    groups
}

/// Half of the apps come with a team or an access group; the others are assigned by hand.
fn apps() -> Vec<SeedApp> {
    let app = |(number, label): (usize, &&str)| SeedApp {
        label: (*label).into(),
        groups: if number % 2 == 0 {
            vec![
                TEAMS[number % TEAMS.len()].into(),
                ACCESS_GROUPS[(number / 2) % ACCESS_GROUPS.len()].into(),
            ]
        } else {
            Vec::new()
        },
        ..SeedApp::default()
    };
    APPS.iter().enumerate().map(app).collect()
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
        sessions: dice.between(1, 2) as u32,
        groups: memberships(dice),
        apps: some(dice, &APPS, 1, 3)
            .into_iter()
            .map(str::to_owned)
            .collect(),
        clients: clients(dice),
        factors: some(dice, &FACTORS, 1, 3).into_iter().map(factor).collect(),
        devices: vec![device(dice, first)],
        ..SeedUser::default()
    };
    if dice.chance(0.05) {
        user.roles = some(dice, &ROLES, 1, 2).into_iter().map(role).collect();
    }
    if dice.chance(0.02) {
        user.roles.push(SeedRole {
            kind: "CUSTOM".into(),
            role: Some("cr01customauditor000".into()),
            resource_set: Some("iam1resourcesetmain0".into()),
            ..SeedRole::default()
        });
    }
    if dice.chance(0.06) {
        let name = format!("script of {first}");
        user.api_tokens.push(SeedApiToken {
            name,
            ..SeedApiToken::default()
        });
    }
    if dice.chance(0.1) {
        user.idps.push("Google".into());
    }
    if dice.chance(0.03) {
        user.owns_groups.push((*dice.pick(&TEAMS)).into());
    }
    user
}

fn memberships(dice: &mut Dice) -> Vec<SeedMembership> {
    let mut names = some(dice, &TEAMS, 1, 3);
    names.extend(some(dice, &ACCESS_GROUPS, 2, 5));
    if dice.chance(0.4) {
        names.extend(some(dice, &DIRECTORY_GROUPS, 1, 2));
    }
    if dice.chance(0.02) {
        names.push("Service Desk");
    }
    names
        .into_iter()
        .map(|name| SeedMembership::Group(name.into()))
        .collect()
}

fn clients(dice: &mut Dice) -> Vec<SeedClient> {
    let mut chosen = Vec::new();
    for (id, name) in some(dice, &CLIENTS, 1, 3) {
        // About one client in seven gets its tokens from a custom authorization server.
        let server = dice.chance(0.15).then(|| "aus1internal00000000".to_owned());
        let scopes = vec!["openid".to_owned(), "offline_access".to_owned()];
        let tokens = (0..dice.between(1, 2)).map(|_| SeedToken {
            server: server.clone(),
            scopes: scopes.clone(),
            ..SeedToken::default()
        });
        let grant = SeedGrant {
            scope: "offline_access".into(),
            server: server.clone(),
            ..SeedGrant::default()
        };
        chosen.push(SeedClient {
            client_id: id.into(),
            name: name.into(),
            tokens: tokens.collect(),
            grants: if dice.chance(0.5) {
                vec![grant]
            } else {
                Vec::new()
            },
        });
    }
    chosen
}

fn factor(kind: &str) -> SeedFactor {
    SeedFactor {
        kind: kind.into(),
        provider: (kind == "webauthn").then(|| "FIDO".into()),
        ..SeedFactor::default()
    }
}

fn role(kind: &str) -> SeedRole {
    SeedRole {
        kind: kind.into(),
        ..SeedRole::default()
    }
}

fn device(dice: &mut Dice, first: &str) -> SeedDevice {
    let platform = *dice.pick(&["MACOS", "WINDOWS", "IOS", "ANDROID"]);
    SeedDevice {
        name: format!("{first}'s device"),
        platform: Some(platform.into()),
        ..SeedDevice::default()
    }
}

/// Between `low` and `high` different ones of `items`.
fn some<T: Copy>(dice: &mut Dice, items: &[T], low: usize, high: usize) -> Vec<T> {
    let mut left = items.to_vec();
    let count = dice.between(low, high).min(left.len());
    (0..count)
        .map(|_| left.swap_remove(dice.below(left.len())))
        .collect()
}
