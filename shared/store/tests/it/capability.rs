//! Capabilities: each declaration takes the place of the one before, kind by kind.

use serde_json::json;
use sever_domain::{Provider, SubjectKind};
use sever_store::capability::{declare_capabilities, list};

use crate::world::World;

#[tokio::test]
async fn a_declaration_takes_the_place_of_the_one_before() {
    let world = World::removed().await;
    let client = world.client().await;
    assert_eq!(list(&client, Provider::Okta).await.unwrap(), []);
    let (person, integration) = (SubjectKind::Person, SubjectKind::Integration);
    for (kind, declared) in [
        (integration, vec![json!("secret")]),
        (
            person,
            vec![json!("account"), json!("group"), json!("role")],
        ),
        (person, vec![json!("account"), json!("token")]),
    ] {
        declare_capabilities(&world.store, Provider::Okta, kind, &declared)
            .await
            .unwrap();
    }
    let rows = list(&client, Provider::Okta).await.unwrap();
    let shown: Vec<_> = rows
        .iter()
        .map(|row| (row.subject_kind, row.capability.clone()))
        .collect();
    let expected = [
        (person, json!("account")),
        (person, json!("token")),
        (integration, json!("secret")),
    ];
    assert_eq!(shown, expected, "people come first");
    assert_eq!(list(&client, Provider::Entra).await.unwrap(), []);
    declare_capabilities(&world.store, Provider::Okta, integration, &[])
        .await
        .unwrap();
    assert_eq!(list(&client, Provider::Okta).await.unwrap().len(), 2);
}

#[tokio::test]
async fn replicas_that_start_together_do_not_hinder_each_other() {
    let world = World::removed().await;
    let families: Vec<_> = (0..30).map(|n| json!(n)).collect();
    let declare =
        || declare_capabilities(&world.store, Provider::Okta, SubjectKind::Person, &families);
    let all = futures::future::join_all((0..6).map(|_| declare())).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    let rows = list(&world.client().await, Provider::Okta).await.unwrap();
    assert_eq!(rows.len(), 30);
}
