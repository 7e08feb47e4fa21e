//! Integrations: applying is idempotent and on record, ids come and go as bindings, and nobody gets another one's id.

use std::collections::{BTreeMap, BTreeSet};

use sever_domain::SubjectKind;
use sever_store::connection::Change;
use sever_store::integration::{self, IntegrationError, IntegrationSpec};
use sever_store::{integration_view, person_view};

use crate::world::World;

fn spec(name: &str, ids: &[(&str, &str)]) -> IntegrationSpec {
    let mut provider_ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (connection, id) in ids {
        let listed = provider_ids.entry((*connection).to_owned()).or_default();
        listed.insert((*id).to_owned());
    }
    IntegrationSpec {
        name: name.to_owned(),
        vendor: "Example".to_owned(),
        owner: "sales-systems".to_owned(),
        provider_ids,
    }
}

async fn apply(world: &World, spec: &IntegrationSpec) -> Result<Change, IntegrationError> {
    let mut client = world.client().await;
    let tx = client.begin().await.unwrap();
    let change = integration::apply(&tx, spec, "token:ops").await?;
    tx.commit().await.unwrap();
    Ok(change)
}

/// `provider_id state` of each id of an integration, and the subject's version.
async fn ids(world: &World, name: &str) -> (Vec<String>, String) {
    let client = world.client().await;
    let found = integration_view::find(&client, name)
        .await
        .unwrap()
        .unwrap();
    let bindings = person_view::bindings(&client, found.id).await.unwrap();
    let version = format!("SELECT version FROM subject WHERE id = '{}'", found.id);
    let shown = bindings
        .iter()
        .map(|binding| format!("{} {}", binding.provider_id, binding.state));
    (shown.collect(), world.sql(&version).await)
}

#[tokio::test]
async fn applying_again_changes_nothing_and_only_ids_let_the_version_grow() {
    let world = World::removed().await;
    let mut wanted = spec("crm", &[("okta-main", "0oa1")]);
    for expected in [Change::Created, Change::Unchanged] {
        assert_eq!(apply(&world, &wanted).await.unwrap(), expected);
        let one = (vec!["0oa1 candidate".to_owned()], "1".to_owned());
        assert_eq!(ids(&world, "crm").await, one);
    }
    wanted.owner = "marketing-systems".to_owned();
    assert_eq!(apply(&world, &wanted).await.unwrap(), Change::Changed);
    assert_eq!(ids(&world, "crm").await.1, "1", "no intent looks at owners");
    let more = spec("crm", &[("okta-main", "0oa1"), ("okta-main", "0oa2")]);
    assert_eq!(apply(&world, &more).await.unwrap(), Change::Changed);
    assert_eq!(ids(&world, "crm").await.1, "2");
    let events = "SELECT count(*) FROM audit_event WHERE kind = 'integration.changed'";
    assert_eq!(world.sql(events).await, "3");
    let list = integration_view::list(&world.client().await).await.unwrap();
    assert_eq!(
        (list.len(), list[0].connections.clone()),
        (1, vec!["okta-main".to_owned()])
    );
}

#[tokio::test]
async fn an_id_that_is_not_named_any_more_is_refuted_and_comes_back_as_a_candidate() {
    let world = World::removed().await;
    let with = spec("crm", &[("okta-main", "0oa1")]);
    apply(&world, &with).await.unwrap();
    world
        .sql("UPDATE binding SET state = 'confirmed', confirmed_at = now() WHERE kind = 'application'")
        .await;
    apply(&world, &spec("crm", &[])).await.unwrap();
    let refuted = (vec!["0oa1 refuted".to_owned()], "2".to_owned());
    assert_eq!(ids(&world, "crm").await, refuted);
    apply(&world, &with).await.unwrap();
    let candidate = (vec!["0oa1 candidate".to_owned()], "3".to_owned());
    assert_eq!(ids(&world, "crm").await, candidate);
}

#[tokio::test]
async fn nobody_gets_an_id_that_somebody_else_has() {
    let world = World::removed().await;
    apply(&world, &spec("crm", &[("okta-main", "0oa1")]))
        .await
        .unwrap();
    for (id, whose) in [
        ("00u1", "confirmed as a person's"),
        ("0oa1", "listed as the integration 'crm's"),
    ] {
        let wanted = spec("chat", &[("okta-main", id)]);
        let error = apply(&world, &wanted).await.unwrap_err();
        assert!(error.to_string().contains(whose), "{error}");
    }
    let gone = spec("crm", &[]);
    apply(&world, &gone).await.unwrap();
    let free = apply(&world, &spec("chat", &[("okta-main", "0oa1")])).await;
    assert_eq!(free.unwrap(), Change::Created, "it was taken out there");
}

#[tokio::test]
async fn a_connection_that_there_is_not_is_named_and_nothing_is_stored() {
    let world = World::removed().await;
    let error = apply(&world, &spec("crm", &[("nowhere", "x")])).await;
    let error = error.unwrap_err();
    assert!(
        matches!(&error, IntegrationError::UnknownConnection { connection } if connection == "nowhere"),
        "{error}"
    );
    assert_eq!(world.sql("SELECT count(*) FROM integration").await, "0");
}

#[tokio::test]
async fn it_is_found_by_name_and_by_id_and_locked_as_what_it_is() {
    let world = World::removed().await;
    apply(&world, &spec("crm", &[])).await.unwrap();
    let mut client = world.client().await;
    let by_name = integration_view::find(&client, "crm")
        .await
        .unwrap()
        .unwrap();
    let by_id = integration_view::find(&client, &by_name.id.to_string()).await;
    assert_eq!(by_id.unwrap(), Some(by_name.clone()));
    assert!(
        integration_view::find(&client, &world.subject.to_string())
            .await
            .unwrap()
            .is_none(),
        "a person is no integration"
    );
    let tx = client.begin().await.unwrap();
    let locked = integration::lock_by_name(&tx, "crm").await.unwrap();
    let locked = locked.unwrap();
    assert_eq!(
        (locked.id, locked.kind, locked.employment),
        (by_name.id, SubjectKind::Integration, None)
    );
}
