//! Importing people.

use sever_domain::employment::EmploymentState;
use sever_store::person_import::{ImportReport, ImportedPerson};

use crate::fixture::Fixture;

#[tokio::test]
async fn importing_twice_changes_nothing_and_a_change_lets_the_version_grow() {
    let fixture = Fixture::empty().await;
    let main = fixture.connection("okta-main").await;
    let mut person = ImportedPerson {
        accounts: vec![(main, "00u1".into()), (main, "00u2".into())],
        ..fixture.person("E1")
    };
    let created = ImportReport {
        created: 1,
        candidates: 2,
        ..ImportReport::default()
    };
    assert_eq!(fixture.import(&[person.clone()]).await, created);
    let unchanged = ImportReport {
        unchanged: 1,
        ..ImportReport::default()
    };
    assert_eq!(fixture.import(&[person.clone()]).await, unchanged);
    assert_eq!(fixture.sql("SELECT version FROM subject").await, "1");
    assert_eq!(
        fixture
            .sql("SELECT emails, employment_state FROM person")
            .await,
        "{e1@example.test}|active"
    );
    person.accounts.push((main, "00u3".into()));
    person.employment = EmploymentState::OnLeave;
    let changed = ImportReport {
        changed: 1,
        candidates: 1,
        ..ImportReport::default()
    };
    assert_eq!(fixture.import(&[person]).await, changed);
    assert_eq!(fixture.sql("SELECT version FROM subject").await, "2");
    assert_eq!(
        fixture
            .sql("SELECT DISTINCT state, basis FROM binding")
            .await,
        "candidate|source_listed"
    );
}

#[tokio::test]
async fn ids_of_an_untrusted_source_become_no_candidates() {
    let fixture = Fixture::empty().await;
    let main = fixture.connection("okta-main").await;
    let person = ImportedPerson {
        source: fixture.idp,
        accounts: vec![(main, "00u1".into())],
        ..fixture.person("u-1")
    };
    let report = fixture.import(&[person]).await;
    assert_eq!(
        (report.created, report.candidates, report.untrusted_accounts),
        (1, 0, 1)
    );
}

#[tokio::test]
async fn a_mail_alone_joins_nobody_across_sources_and_mail_with_name_does() {
    let fixture = Fixture::empty().await;
    fixture.import(&[fixture.person("E1")]).await;
    let other_name = ImportedPerson {
        source: fixture.idp,
        external_id: "u-1".into(),
        given_name: Some("Other".into()),
        ..fixture.person("E1")
    };
    let same = ImportedPerson {
        source: fixture.idp,
        external_id: "u-2".into(),
        given_name: Some("GIVEN".into()),
        ..fixture.person("E1")
    };
    fixture.import(&[other_name, same]).await;
    let joined = fixture.subject("hr", "E1").await;
    assert_ne!(fixture.subject("idp", "u-1").await, joined);
    assert_eq!(fixture.subject("idp", "u-2").await, joined);
}

#[tokio::test]
async fn two_new_keys_of_one_source_join_nobody() {
    let fixture = Fixture::empty().await;
    fixture.import(&[fixture.person("E1")]).await;
    let of_idp = |key: &str| ImportedPerson {
        source: fixture.idp,
        external_id: key.into(),
        ..fixture.person("E1")
    };
    fixture.import(&[of_idp("u-1"), of_idp("u-2")]).await;
    assert_eq!(fixture.count("person").await, 3);
}

#[tokio::test]
async fn a_full_batch_is_imported_by_few_statements() {
    let fixture = Fixture::empty().await;
    let people: Vec<ImportedPerson> = (0..5_000)
        .map(|n| fixture.person(&format!("E{n}")))
        .collect();
    let report = fixture.import(&people).await;
    assert_eq!(report.created, 5_000);
    assert_eq!(fixture.import(&people).await.unchanged, 5_000);
    assert_eq!(
        sever_store::census::refresh(&fixture.store).await.unwrap(),
        5_000
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn imports_and_leaver_events_at_once_do_not_block_each_other() {
    let fixture = Fixture::empty().await;
    let people = |name: &str| -> Vec<ImportedPerson> {
        let person = |n: u32| ImportedPerson {
            given_name: Some(name.to_owned()),
            ..fixture.person(&format!("E{n}"))
        };
        (0..100).rev().map(person).collect()
    };
    fixture.import(&people("first")).await;
    let importing = async {
        for name in ["second", "third", "fourth"] {
            fixture.import(&people(name)).await;
        }
    };
    let leaving = futures::future::join_all((0..100).map(async |n| {
        let event = crate::fixture::event(&format!("e-{n}"), "leaver", &format!("E{n}"), 1);
        fixture.hr_sends(&event).await
    }));
    let ((), accepted) = futures::future::join(importing, leaving).await;
    assert!(accepted.iter().all(|accepted| accepted.opt_out.is_some()));
    assert_eq!(fixture.count("opt_out").await, 100);
    assert_eq!(
        fixture
            .count("person WHERE employment_state = 'left' AND given_name = 'fourth'")
            .await,
        100
    );
}
