//! `POST /control/vanta/{tenant}/seed-directory`: a company of any size, the same for the same seed, and the same people
//! as those of the Okta directory of the same size, domain and variant.

use serde::Deserialize;

use super::seed::{self, SeedAccount, SeedDocument, SeedGroup, SeedPerson, SeedUser};
use crate::control::Answer;
use crate::control::okta::directory::{self, Wish as OktaWish};
use crate::dice::Dice;
use crate::vanta::Tenant;
use crate::vanta::state::{Followed, Managed};

const GROUPS: [&str; 3] = [
    "Employees",
    "Engineering checklist",
    "Contractors checklist",
];

/// What kind of directory.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// How many people.
    people: usize,
    /// The domain of their e-mails.
    #[serde(default = "directory::default_domain")]
    domain: String,
    /// Which of the directories of this size.
    #[serde(default)]
    variant: u64,
    /// An Okta org of this process: people have an account that follows theirs there, and employment ends with it.
    #[serde(default)]
    okta: Option<String>,
}

/// Plants a directory and answers with its people. The first one is an administrator, who may acknowledge.
pub fn plant(tenant: &mut Tenant, seed: u64, wish: &Wish, now_ms: i64) -> Answer {
    let company = OktaWish {
        people: wish.people,
        domain: wish.domain.clone(),
        variant: wish.variant,
    };
    let company = directory::document(seed, &company)?;
    let mut dice = Dice::new(seed, "vanta directory");
    let okta = wish.okta.as_deref();
    let people = company.users.iter().enumerate().map(|(number, user)| {
        let follows = okta.map(|org| Followed {
            provider: "okta".into(),
            org: org.to_owned(),
            user: user.login.clone(),
        });
        let mut person = person(&mut dice, number, follows);
        person.email.clone_from(&user.login);
        person.first_name = Some(user.first_name.clone());
        person.last_name = Some(user.last_name.clone());
        person
    });
    let document = SeedDocument {
        people: people.collect(),
        groups: GROUPS.iter().map(|name| group(name)).collect(),
        ..SeedDocument::default()
    };
    seed::plant(tenant, &document, now_ms)
}

fn group(name: &str) -> SeedGroup {
    SeedGroup {
        name: name.to_owned(),
        ..SeedGroup::default()
    }
}

fn person(dice: &mut Dice, number: usize, follows: Option<Followed>) -> SeedPerson {
    let admin = number == 0;
    // About one in eight signs in to Vanta; the others are workforce records only.
    let signs_in = admin || dice.chance(0.12);
    let managed = match !admin && dice.chance(0.3) {
        true => Managed::Scim,
        false => Managed::Manual,
    };
    let mut accounts = vec![SeedAccount {
        system: "Okta".into(),
        follows: follows.clone(),
        ..SeedAccount::default()
    }];
    if dice.chance(0.3) {
        accounts.push(SeedAccount {
            system: "Design Tool".into(),
            unmonitored: true,
            ..SeedAccount::default()
        });
    }
    SeedPerson {
        user: signs_in.then(|| SeedUser {
            managed,
            admin,
            ..SeedUser::default()
        }),
        groups: vec![(*dice.pick(&GROUPS)).to_owned()],
        accounts,
        computers: vec![format!("C{:08X}", dice.next() >> 32)],
        follows,
        ..SeedPerson::default()
    }
}
