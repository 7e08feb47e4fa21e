//! The protected list: entries are replaced, never doubled, and bump the version that intents compare.

use sever_domain::SubjectId;
use sever_store::protected::{self, Principal, Protection};
use uuid::Uuid;

use crate::world::World;

fn protection(reason: &str) -> Protection {
    Protection {
        kind: "break_glass".to_owned(),
        owner: "security".to_owned(),
        reason: reason.to_owned(),
        until: None,
    }
}

async fn add(world: &World, principal: &Principal, reason: &str) -> Option<Uuid> {
    let mut client = world.client().await;
    let tx = client.begin().await.unwrap();
    let added = protected::add(&tx, principal, &protection(reason), "token:ops").await;
    tx.commit().await.unwrap();
    added.unwrap()
}

#[tokio::test]
async fn an_entry_is_replaced_and_taken_off_once() {
    let world = World::removed().await;
    let principal = Principal::Subject(world.subject);
    let id = add(&world, &principal, "first").await.unwrap();
    assert_eq!(add(&world, &principal, "second").await, Some(id));
    let list = protected::list(&world.client().await).await.unwrap();
    assert_eq!(
        (list.len(), list[0].protection.reason.as_str()),
        (1, "second")
    );
    assert_eq!(world.sql("SELECT version FROM subject").await, "3");
    for expected in [true, false] {
        let mut client = world.client().await;
        let tx = client.begin().await.unwrap();
        assert_eq!(
            protected::remove(&tx, id, "token:ops").await.unwrap(),
            expected
        );
        tx.commit().await.unwrap();
    }
    let events = "SELECT count(*) FROM audit_event WHERE kind = 'protection.changed'";
    assert_eq!(world.sql(events).await, "3");
}

#[tokio::test]
async fn an_account_is_protected_by_connection_and_bumps_its_owner() {
    let world = World::removed().await;
    let account = |connection: &str| Principal::Account {
        connection: connection.to_owned(),
        provider_id: "00u1".to_owned(),
    };
    assert_eq!(add(&world, &account("nowhere"), "x").await, None);
    add(&world, &account("okta-main"), "x").await.unwrap();
    assert_eq!(world.sql("SELECT version FROM subject").await, "2");
    let list = protected::list(&world.client().await).await.unwrap();
    assert_eq!(list[0].principal, account("okta-main"));
}

#[tokio::test]
async fn an_unknown_subject_is_refused() {
    let world = World::removed().await;
    let mut client = world.client().await;
    let tx = client.begin().await.unwrap();
    let nobody = Principal::Subject(SubjectId::generate());
    let error = protected::add(&tx, &nobody, &protection("x"), "token:ops")
        .await
        .unwrap_err();
    assert_eq!(
        error.constraint(),
        Some("protected_principal_subject_id_fkey")
    );
}
