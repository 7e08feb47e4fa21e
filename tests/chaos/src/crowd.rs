//! The people: accounts at both providers, and the directory that lists them.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use sever_domain::employment::EmploymentState;
use sever_domain::{ConnectionId, Provider, SourceId};
use sever_store::api_token::{self, NewToken};
use sever_store::connection::{self, ConnectionSpec};
use sever_store::person_import::{self, BATCH_MAX, ImportedPerson};
use sever_store::{DatabaseSettings, Store, census, source};
use sever_tests::{OKTA_TOKEN, Simulator};

use crate::ground::Ground;

/// The source; also the broker user, his password, and the name of the token.
pub(crate) const SOURCE: &str = "hr";
/// What the SCIM application accepts.
pub(crate) const SCIM_TOKEN: &str = "secret-of-the-scim-worker";
/// Calls of one worker under way, and jobs of a connection at once.
const AT_ONCE: i32 = 24;
/// People seeded with one order.
const SEEDED_AT_ONCE: usize = 500;

/// Everybody, by number; the leavers come first.
pub(crate) struct Crowd {
    /// How many of them leave.
    pub(crate) leavers: usize,
    /// The accounts at Okta.
    pub(crate) okta: Vec<String>,
    /// The accounts at the SCIM application.
    pub(crate) scim: Vec<String>,
    /// Whose account an id is.
    pub(crate) owners: HashMap<(&'static str, String), usize>,
    /// The token for requests and questions.
    pub(crate) token: String,
}

/// The source's id of a person.
pub(crate) fn external_id(number: usize) -> String {
    format!("C-{number}")
}

impl Crowd {
    /// Seeds both providers and fills the directory.
    pub(crate) async fn make(
        ground: &Ground,
        leavers: usize,
        bystanders: usize,
    ) -> anyhow::Result<Self> {
        let all = leavers + bystanders;
        let simulator = &ground.simulator;
        let app = json!({"tokens": [{"token": SCIM_TOKEN, "name": "worker"}]});
        simulator.control("PUT", "/scim/main", &app).await?;
        let things =
            json!({"groups": [{"name": "Staff"}, {"name": "VPN"}], "apps": [{"label": "Wiki"}]});
        simulator
            .control("POST", "/okta/main/seed", &things)
            .await?;
        let groups = json!({"groups": [{"name": "Sales"}]});
        simulator
            .control("POST", "/scim/main/seed", &groups)
            .await?;
        let okta = seed(simulator, "/okta/main/seed", all, okta_user).await?;
        let scim = seed(simulator, "/scim/main/seed", all, scim_user).await?;
        let token = directory(ground, &okta, &scim).await?;
        let owned = |provider, ids: &[String]| -> Vec<_> {
            let ids = ids.iter().cloned().enumerate();
            ids.map(|(number, id)| ((provider, id), number)).collect()
        };
        let owners = owned("okta", &okta)
            .into_iter()
            .chain(owned("scim", &scim))
            .collect();
        Ok(Self {
            leavers,
            okta,
            scim,
            owners,
            token,
        })
    }
}

fn okta_user(number: usize) -> Value {
    json!({
        "login": format!("c{number}@example.com"), "first_name": "C", "last_name": number.to_string(), "sessions": 1,
        "groups": ["Staff", "VPN"], "apps": ["Wiki"], "factors": [{"type": "push"}],
        "roles": if number.is_multiple_of(10) { json!([{"type": "APP_ADMIN"}]) } else { json!([]) },
    })
}

fn scim_user(number: usize) -> Value {
    json!({"login": format!("c{number}@example.com"), "external_id": external_id(number), "groups": ["Sales"]})
}

async fn seed(
    simulator: &Simulator,
    path: &str,
    all: usize,
    user: fn(usize) -> Value,
) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::with_capacity(all);
    let numbers: Vec<usize> = (0..all).collect();
    for numbers in numbers.chunks(SEEDED_AT_ONCE) {
        let users: Vec<Value> = numbers.iter().map(|number| user(*number)).collect();
        let planted = simulator
            .control("POST", path, &json!({"users": users}))
            .await?;
        let users = planted["users"].as_array().context("nobody was planted")?;
        ids.extend(
            users
                .iter()
                .filter_map(|user| Some(user["id"].as_str()?.to_owned())),
        );
    }
    ensure!(
        ids.len() == all,
        "{} of {all} people were planted",
        ids.len()
    );
    Ok(ids)
}

/// The source, its token, both connections and everybody, through the store as an import does it. Returns the token.
async fn directory(ground: &Ground, okta: &[String], scim: &[String]) -> anyhow::Result<String> {
    let store = Store::new(&DatabaseSettings {
        url: ground.service_url(),
        pool_max: 2,
        statement_timeout: Duration::from_secs(60),
        lock_timeout: Duration::from_secs(10),
        connect_timeout: Duration::from_secs(10),
        application_name: "sever-chaos".to_owned(),
    })?;
    let mut client = store.client("making a directory").await?;
    let tx = client.begin().await?;
    let source = source::upsert(&tx, SOURCE, Some(SOURCE), true).await?.id;
    let scopes = ["leaver-events:write", "opt-outs:write", "opt-outs:read"];
    let token = NewToken {
        name: SOURCE,
        scopes: &scopes,
        source: Some(source),
        expires_at: None,
    };
    let (_, secret) = api_token::create(&tx, &token).await?;
    for spec in connections(ground) {
        connection::apply(&tx, &spec, "chaos")
            .await
            .context("making a connection")?;
    }
    tx.commit().await?;
    let mut ids = Vec::new();
    for name in ["okta", "scim"] {
        let found = connection::find(&client, name).await?;
        ids.push(found.context("a connection that was made is not there")?.id);
    }
    let people: Vec<ImportedPerson> = okta
        .iter()
        .zip(scim)
        .enumerate()
        .map(|(number, (okta, scim))| {
            let accounts = vec![(ids[0], okta.clone()), (ids[1], scim.clone())];
            person(source, number, accounts)
        })
        .collect();
    for batch in people.chunks(BATCH_MAX) {
        let tx = client.begin().await?;
        person_import::import(&tx, batch).await?;
        tx.commit().await?;
    }
    census::refresh(&store).await?;
    Ok(secret.expose().to_owned())
}

/// The workers reach the providers through the proxies.
fn connections(ground: &Ground) -> [ConnectionSpec; 2] {
    let spec = |name: &str, provider, address, credential_ref: &str| ConnectionSpec {
        name: name.to_owned(),
        provider,
        base_url: format!("http://{address}/{name}/main"),
        credential_ref: credential_ref.to_owned(),
        token_lifetime_s: 1,
        token_lifetimes: BTreeMap::new(),
        clock_skew_s: 0,
        in_flight_max: AT_ONCE,
        jobs_max: AT_ONCE,
        fence_delay_s: 0,
        fence_approval: false,
        closed: false,
    };
    let links = &ground.links;
    [
        spec(
            "okta",
            Provider::Okta,
            links.okta.address(),
            "env:OKTA_TOKEN",
        ),
        spec(
            "scim",
            Provider::Scim,
            links.scim.address(),
            "env:SCIM_TOKEN",
        ),
    ]
}

fn person(
    source: SourceId,
    number: usize,
    accounts: Vec<(ConnectionId, String)>,
) -> ImportedPerson {
    ImportedPerson {
        source,
        external_id: external_id(number),
        given_name: Some("C".to_owned()),
        family_name: Some(number.to_string()),
        emails: vec![format!("c{number}@example.com")],
        employment: EmploymentState::Active,
        accounts,
    }
}

/// The variables that the references of both connections lead to.
pub(crate) fn credentials() -> [(&'static str, String); 2] {
    [
        ("OKTA_TOKEN", OKTA_TOKEN.to_owned()),
        ("SCIM_TOKEN", SCIM_TOKEN.to_owned()),
    ]
}
