//! Connections: applying is idempotent, versioned and on record, and opening a parked one returns its jobs.

use std::collections::BTreeMap;

use sever_domain::Provider;
use sever_store::connection::{self, ApplyError, Change, ConnectionSpec};

use crate::world::World;

fn spec(name: &str) -> ConnectionSpec {
    ConnectionSpec {
        name: name.to_owned(),
        provider: Provider::Okta,
        base_url: "https://example.okta.com".to_owned(),
        credential_ref: "env:OKTA".to_owned(),
        token_lifetime_s: 3600,
        token_lifetimes: BTreeMap::from([("https://issuer".to_owned(), 60)]),
        clock_skew_s: 30,
        in_flight_max: 8,
        jobs_max: 64,
        fence_delay_s: 7200,
        fence_approval: true,
        closed: false,
    }
}

async fn apply(world: &World, spec: &ConnectionSpec) -> Result<Change, ApplyError> {
    let mut client = world.client().await;
    let tx = client.begin().await.unwrap();
    let change = connection::apply(&tx, spec, "token:ops").await?;
    tx.commit().await.unwrap();
    Ok(change)
}

#[tokio::test]
async fn applying_again_changes_nothing_and_a_difference_bumps_the_version() {
    let world = World::removed().await;
    let mut wanted = spec("okta-lab");
    assert_eq!(apply(&world, &wanted).await.unwrap(), Change::Created);
    assert_eq!(apply(&world, &wanted).await.unwrap(), Change::Unchanged);
    wanted.jobs_max = 3;
    assert_eq!(apply(&world, &wanted).await.unwrap(), Change::Changed);
    let found = connection::find(&world.client().await, "okta-lab")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.version, found.spec), (2, wanted));
    let events = "SELECT count(*) FROM audit_event WHERE kind = 'connection.changed'";
    assert_eq!(world.sql(events).await, "2");
    assert_eq!(
        connection::list(&world.client().await).await.unwrap().len(),
        2
    );
}

#[tokio::test]
async fn a_parked_connection_is_opened_and_its_jobs_wait_again() {
    let (world, _) = World::held("mass_guard").await;
    world
        .sql("UPDATE connection SET state = 'parked', state_reason = 'invalid_client'; UPDATE job SET state = 'parked'")
        .await;
    let standing = connection::find(&world.client().await, "okta-main")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        apply(&world, &standing.spec).await.unwrap(),
        Change::Changed
    );
    let states = "SELECT connection.state, job.state, job.due_at <= now(), (SELECT count(*) FROM outbox) FROM connection, job";
    assert_eq!(world.sql(states).await, "open|waiting|t|1");
    assert_eq!(world.kinds().await, ["job.returned"]);
}

#[tokio::test]
async fn what_was_cancelled_while_the_connection_was_opened_stays_cancelled() {
    let (world, _) = World::held("mass_guard").await;
    world
        .sql("UPDATE connection SET state = 'parked', state_reason = 'invalid_client'; UPDATE job SET state = 'parked'")
        .await;
    let opening =
        sever_store::worker_connection::unpark(&world.store, world.connection, "worker:canary");
    let cancel = "UPDATE job SET state = 'cancelled'";
    let returned = world.behind_a_lock(1, cancel, opening).await.unwrap();
    assert_eq!(returned, 0);
    let states = "SELECT connection.state, job.state FROM connection, job";
    assert_eq!(world.sql(states).await, "open|cancelled");
}

#[tokio::test]
async fn a_closed_connection_keeps_its_parked_jobs() {
    let (world, _) = World::held("mass_guard").await;
    world
        .sql("UPDATE connection SET state = 'parked', state_reason = 'invalid_client'; UPDATE job SET state = 'parked'")
        .await;
    let mut standing = connection::find(&world.client().await, "okta-main")
        .await
        .unwrap()
        .unwrap();
    standing.spec.closed = true;
    apply(&world, &standing.spec).await.unwrap();
    let states = "SELECT connection.state, job.state FROM connection, job";
    assert_eq!(world.sql(states).await, "closed|parked");
}

#[tokio::test]
async fn a_name_stays_with_its_provider() {
    let world = World::removed().await;
    let mut wanted = spec("okta-main");
    wanted.provider = Provider::Vanta;
    let error = apply(&world, &wanted).await.unwrap_err();
    assert!(matches!(error, ApplyError::OtherProvider { .. }), "{error}");
}
