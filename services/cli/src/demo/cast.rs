//! Who is who: 500 people, 50 of whom leave, six of them with something special, in five systems.

use reqwest::Method;
use serde_json::json;
use sever_domain::Provider;

use crate::dev::company::{self, Account, Employee};
use crate::dev::people::external_id;
use crate::dev::simulator::{SeededUser, Simulator, ids};

/// The people of the company.
pub(super) const PEOPLE: usize = 500;
/// Those who leave.
pub(super) const LEAVERS: usize = 50;
/// Leavers are spread over the directory: every tenth person, from the fourth.
const EVERY: usize = 10;
const FIRST: usize = 3;
/// The authorization server whose access tokens live for a day.
pub(super) const LONG_SERVER: &str = "aus1partners00000000";

/// What is special about a leaver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Nothing.
    Plain,
    /// Somebody deleted the account in Okta already.
    Gone,
    /// Left by mistake, and comes back.
    Restored,
    /// The last day ends 20 seconds from now.
    DatedAhead,
    /// A second account, for administration.
    TwoAccounts,
    /// A login to Vanta, about which only a person can tell everything.
    Asked,
    /// An access token that outlives the demonstration.
    LongToken,
}

impl Part {
    /// What to call it.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Gone => "already gone in Okta",
            Self::Restored => "restored",
            Self::DatedAhead => "dated 20 s ahead",
            Self::TwoAccounts => "second account",
            Self::Asked => "manual Vanta task",
            Self::LongToken => "token lives 24 h",
        }
    }

    const fn of(leaver: usize) -> Self {
        match leaver {
            5 => Self::Gone,
            7 => Self::Restored,
            11 => Self::DatedAhead,
            17 => Self::TwoAccounts,
            20 => Self::Asked,
            23 => Self::LongToken,
            _ => Self::Plain,
        }
    }
}

/// Somebody who leaves.
#[derive(Debug, Clone)]
pub(super) struct Leaver {
    /// The HR system's id.
    pub(super) external_id: String,
    /// What is special.
    pub(super) part: Part,
    /// The accounts in every system.
    pub(super) accounts: Vec<Account>,
}

/// The company.
#[derive(Debug)]
pub(super) struct Cast {
    /// Everybody, with their accounts.
    pub(super) people: Vec<Employee>,
    /// Those who leave.
    pub(super) leavers: Vec<Leaver>,
}

impl Cast {
    /// Seeds the simulated systems with the company.
    ///
    /// # Errors
    /// Where the simulator refuses.
    pub(super) async fn seed(simulator: &Simulator) -> anyhow::Result<Self> {
        let mut people = company::seed(simulator, PEOPLE).await?;
        let mut leavers = Vec::with_capacity(LEAVERS);
        for leaver in 0..LEAVERS {
            let place = leaver * EVERY + FIRST;
            let (part, person) = (Part::of(leaver), &mut people[place]);
            match part {
                Part::TwoAccounts => {
                    let second = second_account(simulator, &person.first).await?;
                    person.accounts.push(second);
                }
                Part::LongToken => long_token(simulator, &person.first).await?,
                Part::Plain | Part::Gone | Part::Restored | Part::DatedAhead | Part::Asked => {}
            }
            leavers.push(Leaver {
                external_id: external_id(place),
                part,
                accounts: person.accounts.clone(),
            });
        }
        Ok(Self { people, leavers })
    }

    /// Deletes the account of the one who is already gone, behind Sever's back.
    ///
    /// # Errors
    /// Where the simulator refuses.
    pub(super) async fn delete_the_gone(&self, simulator: &Simulator) -> anyhow::Result<()> {
        let accounts = self.the(Part::Gone).accounts.iter();
        for account in accounts.filter(|account| account.provider == Provider::Okta) {
            let change = json!({"do": "delete", "user": account.id});
            simulator
                .order(Provider::Okta, Method::POST, "/mutate", Some(&change))
                .await?;
        }
        Ok(())
    }

    /// The one leaver with this part.
    pub(super) fn the(&self, part: Part) -> &Leaver {
        let mut leavers = self.leavers.iter();
        leavers
            .find(|leaver| leaver.part == part)
            .expect("every special part is given to one leaver")
    }

    /// All accounts of leavers.
    pub(super) fn leaving_accounts(&self) -> impl Iterator<Item = &Account> {
        self.leavers.iter().flat_map(|leaver| &leaver.accounts)
    }

    /// Those who stay, with their places.
    pub(super) fn staying(&self) -> impl Iterator<Item = &Employee> {
        let people = self.people.iter().enumerate();
        people
            .filter(|(place, _)| place % EVERY != FIRST)
            .map(|(_, person)| person)
    }
}

/// The same person once more, with the rights of an administrator.
async fn second_account(simulator: &Simulator, first: &SeededUser) -> anyhow::Result<Account> {
    let document = json!({"users": [{
        "login": format!("adm-{}", first.login),
        "first_name": first.first_name,
        "last_name": first.last_name,
        "sessions": 1,
        "groups": ["Production write", "On-call"],
        "roles": [{"type": "ORG_ADMIN"}],
        "factors": [{"type": "webauthn", "provider": "FIDO"}],
        "api_tokens": [{"name": "break-fix script"}],
    }]});
    let answer = simulator.seed(Provider::Okta, &document).await?;
    Ok(Account {
        provider: Provider::Okta,
        id: ids(&answer, "users")?.concat(),
    })
}

/// A client with a refresh token of the authorization server whose access tokens live for a day.
async fn long_token(simulator: &Simulator, user: &SeededUser) -> anyhow::Result<()> {
    let document = json!({"users": [{
        "id": user.id,
        "clients": [{
            "client_id": "0oaclientpartner0001",
            "name": "Partner Portal",
            "tokens": [{"server": LONG_SERVER, "scopes": ["openid", "offline_access"]}],
        }],
    }]});
    simulator.seed(Provider::Okta, &document).await.map(drop)
}
