//! The directory of the benchmark: one trusted source with its token, one Okta connection, and people.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use sever_bench::person::user_id;
use sever_domain::employment::EmploymentState;
use sever_domain::{ConnectionId, Provider, SourceId};
use sever_store::api_token::{self, NewToken};
use sever_store::connection::{self, ConnectionSpec};
use sever_store::person_import::{self, BATCH_MAX, ImportedPerson};
use sever_store::{DatabaseSettings, Store, census, source};

use crate::fleet::IN_FLIGHT;

/// The name of the source, the token and the connection.
const NAME: &str = "bench";

/// Makes all of it through the store, as `sever people import` does. Returns the token for leaver events.
pub(crate) async fn make(url: &str, stub: &str, people: usize) -> anyhow::Result<String> {
    let store = Store::new(&DatabaseSettings {
        url: url.to_owned(),
        pool_max: 2,
        statement_timeout: Duration::from_secs(60),
        lock_timeout: Duration::from_secs(10),
        connect_timeout: Duration::from_secs(10),
        application_name: "sever-bench".to_owned(),
    })?;
    let mut client = store.client("making a directory").await?;
    let tx = client.begin().await?;
    let source = source::upsert(&tx, NAME, None, true).await?;
    let token = NewToken {
        name: NAME,
        scopes: &["leaver-events:write"],
        source: Some(source.id),
        expires_at: None,
    };
    let (_, secret) = api_token::create(&tx, &token).await?;
    connection::apply(&tx, &okta(stub), NAME)
        .await
        .context("making the connection")?;
    tx.commit().await?;
    let connection = connection::find(&client, NAME)
        .await?
        .context("finding the connection that was made")?
        .id;
    let numbers: Vec<usize> = (0..people).collect();
    for batch in numbers.chunks(BATCH_MAX) {
        let people: Vec<ImportedPerson> = batch
            .iter()
            .map(|number| person(source.id, connection, *number))
            .collect();
        let tx = client.begin().await?;
        person_import::import(&tx, &people).await?;
        tx.commit().await?;
    }
    census::refresh(&store).await?;
    Ok(secret.expose().to_owned())
}

fn okta(stub: &str) -> ConnectionSpec {
    let limit = i32::try_from(IN_FLIGHT).unwrap_or(i32::MAX);
    ConnectionSpec {
        name: NAME.to_owned(),
        provider: Provider::Okta,
        base_url: format!("http://{stub}"),
        credential_ref: "env:BENCH_OKTA_TOKEN".to_owned(),
        token_lifetime_s: 0,
        token_lifetimes: BTreeMap::new(),
        clock_skew_s: 0,
        in_flight_max: limit,
        // Above every slot, the urgent ones included: the cap is no part of what is measured.
        jobs_max: limit.saturating_mul(2),
        fence_delay_s: 0,
        fence_approval: false,
        closed: false,
    }
}

/// The source's id of a person.
pub(crate) fn external_id(number: usize) -> String {
    format!("B-{number}")
}

fn person(source: SourceId, connection: ConnectionId, number: usize) -> ImportedPerson {
    ImportedPerson {
        source,
        external_id: external_id(number),
        given_name: Some("Ada".to_owned()),
        family_name: Some(format!("Kim {number}")),
        emails: vec![format!("person{number}@example.com")],
        employment: EmploymentState::Active,
        accounts: vec![(connection, user_id(number))],
    }
}
