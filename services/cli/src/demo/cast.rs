//! Who is who: 500 people in the simulated org, 48 of whom leave, four of them with something special.

use anyhow::{Context as _, ensure};
use reqwest::Method;
use serde_json::json;

use crate::dev::people::external_id;
use crate::dev::simulator::{SeededUser, Simulator};

/// The people of the company.
pub(super) const PEOPLE: usize = 500;
/// Those who leave.
pub(super) const LEAVERS: usize = 48;
/// Leavers are spread over the directory.
const EVERY: usize = 10;
/// The authorization server whose access tokens live for a day.
pub(super) const LONG_SERVER: &str = "aus1partners00000000";

/// What is special about a leaver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Nothing.
    Plain,
    /// Somebody deleted the account in Okta already.
    Gone,
    /// The last day ends 20 seconds from now.
    DatedAhead,
    /// A second account, for administration.
    TwoAccounts,
    /// An access token that outlives the demonstration.
    LongToken,
}

impl Part {
    /// What to call it.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Gone => "already gone in Okta",
            Self::DatedAhead => "dated 20 s ahead",
            Self::TwoAccounts => "second account",
            Self::LongToken => "token lives 24 h",
        }
    }

    const fn of(leaver: usize) -> Self {
        match leaver {
            5 => Self::Gone,
            11 => Self::DatedAhead,
            17 => Self::TwoAccounts,
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
    /// The ids of the accounts in Okta.
    pub(super) accounts: Vec<String>,
}

/// The company.
#[derive(Debug)]
pub(super) struct Cast {
    /// Everybody, with their accounts; the first one gives the name.
    pub(super) people: Vec<Vec<SeededUser>>,
    /// Those who leave.
    pub(super) leavers: Vec<Leaver>,
}

impl Cast {
    /// Seeds the simulated org with the company.
    ///
    /// # Errors
    /// Where the simulator refuses.
    pub(super) async fn seed(simulator: &Simulator) -> anyhow::Result<Self> {
        let users = simulator.seed_directory(PEOPLE).await?;
        ensure!(
            users.len() == PEOPLE,
            "the simulator seeded {} people and not {PEOPLE}",
            users.len()
        );
        let mut people: Vec<Vec<SeededUser>> = users.into_iter().map(|user| vec![user]).collect();
        let mut leavers = Vec::with_capacity(LEAVERS);
        for leaver in 0..LEAVERS {
            let place = leaver * EVERY + 3;
            let (part, accounts) = (Part::of(leaver), &mut people[place]);
            match part {
                Part::TwoAccounts => {
                    let second = second_account(simulator, &accounts[0]).await?;
                    accounts.push(second);
                }
                Part::LongToken => long_token(simulator, &accounts[0]).await?,
                Part::Plain | Part::Gone | Part::DatedAhead => {}
            }
            leavers.push(Leaver {
                external_id: external_id(place),
                part,
                accounts: accounts.iter().map(|account| account.id.clone()).collect(),
            });
        }
        Ok(Self { people, leavers })
    }

    /// Deletes the account of the one who is already gone, behind Sever's back.
    ///
    /// # Errors
    /// Where the simulator refuses.
    pub(super) async fn delete_the_gone(&self, simulator: &Simulator) -> anyhow::Result<()> {
        for leaver in self
            .leavers
            .iter()
            .filter(|leaver| leaver.part == Part::Gone)
        {
            for account in &leaver.accounts {
                let change = json!({"do": "delete", "user": account});
                simulator
                    .order(Method::POST, "/mutate", Some(&change))
                    .await?;
            }
        }
        Ok(())
    }

    /// The ids of all accounts of leavers.
    pub(super) fn leaving_accounts(&self) -> impl Iterator<Item = &str> {
        let leavers = self.leavers.iter();
        leavers.flat_map(|leaver| leaver.accounts.iter().map(String::as_str))
    }
}

/// The same person once more, with the rights of an administrator.
async fn second_account(simulator: &Simulator, first: &SeededUser) -> anyhow::Result<SeededUser> {
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
    let mut seeded = simulator.seed(&document).await?;
    seeded
        .pop()
        .context("the simulator seeded no second account")
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
    simulator.seed(&document).await.map(drop)
}
