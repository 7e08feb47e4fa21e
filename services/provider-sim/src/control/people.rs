//! A company of any size, the same for the same seed and the same at every provider that plants it from here.

use serde::Deserialize;

use super::Refusal;
use crate::dice::Dice;

/// More would not be a directory to test with.
const PEOPLE_MAX: usize = 200_000;

const FIRST_NAMES: [&str; 16] = [
    "Aiko", "Bruno", "Clara", "David", "Esra", "Farid", "Gita", "Henrik", "Iris", "Joao", "Karin",
    "Leo", "Mina", "Nils", "Oona", "Pavel",
];
const LAST_NAMES: [&str; 16] = [
    "Abe", "Brandt", "Cruz", "Duarte", "Endo", "Ferrari", "Gupta", "Horvat", "Iversen", "Jung",
    "Khan", "Lindt", "Moreau", "Nagy", "Oduya", "Popov",
];
const TEAMS: [&str; 12] = [
    "Engineering",
    "Design",
    "Product",
    "Sales",
    "Marketing",
    "Support",
    "Finance",
    "Legal",
    "Security",
    "Operations",
    "Berlin",
    "Lagos",
];

/// What kind of company.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// How many people.
    people: usize,
    /// The domain of their addresses.
    #[serde(default = "default_domain")]
    domain: String,
    /// Which of the companies of this size; another number is another one.
    #[serde(default)]
    variant: u64,
}

/// One of its people.
#[derive(Debug)]
pub struct Person {
    /// Login and address.
    pub login: String,
    /// First name.
    pub first_name: &'static str,
    /// Last name.
    pub last_name: &'static str,
    /// Teams, one to three of [`teams`].
    pub teams: Vec<&'static str>,
    /// For what else a provider gives people.
    pub dice: Dice,
}

fn default_domain() -> String {
    "example.com".into()
}

/// All teams.
pub fn teams() -> &'static [&'static str] {
    &TEAMS
}

impl Wish {
    /// The domain of their addresses.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The people.
    ///
    /// # Errors
    /// 400 for a number that is no company.
    pub fn grant(&self, seed: u64) -> Result<Vec<Person>, Refusal> {
        if self.people == 0 || self.people > PEOPLE_MAX {
            return Err(Refusal(400, format!("people: must be 1 to {PEOPLE_MAX}")));
        }
        Ok((1..=self.people)
            .map(|number| self.person(seed, number))
            .collect())
    }

    fn person(&self, seed: u64, number: usize) -> Person {
        let purpose = format!("company {} {} {number}", self.domain, self.variant);
        let mut dice = Dice::new(seed, &purpose);
        // The stream begins at the purpose's hash, of which near numbers share most bits.
        dice.next();
        let (first_name, last_name) = (*dice.pick(&FIRST_NAMES), *dice.pick(&LAST_NAMES));
        let mut teams: Vec<&str> = (0..dice.between(1, 3))
            .map(|_| *dice.pick(&TEAMS))
            .collect();
        teams.sort_unstable();
        teams.dedup();
        let (first, last) = (first_name.to_lowercase(), last_name.to_lowercase());
        Person {
            login: format!("{first}.{last}.{number}@{}", self.domain),
            first_name,
            last_name,
            teams,
            dice,
        }
    }
}
