//! A database with a source, two connections and people, and shorthands for what the tests send.

use std::sync::OnceLock;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sever_accept::{
    AcceptError, Accepted, Asker, LeaverEvent, OptOutRequest, accept_leaver_event, accept_opt_out,
};
use sever_domain::employment::EmploymentState;
use sever_domain::request::Channel;
use sever_domain::{ConnectionId, SourceId, SubjectId};
use sever_store::person_import::{ImportReport, ImportedPerson, import};
use sever_store::{Store, source};
use sever_testkit::Database;
use uuid::Uuid;

/// The connections of every fixture.
pub(crate) const CONNECTIONS: [&str; 2] = ["okta-main", "okta-lab"];

pub(crate) struct Fixture {
    pub database: Database,
    pub store: Store,
    pub hr: SourceId,
    pub idp: SourceId,
}

impl Fixture {
    /// Two sources (`hr` is trusted), two connections, nobody.
    pub(crate) async fn empty() -> Self {
        let database = Database::fresh().await.unwrap();
        let store = database.store().unwrap();
        let mut client = store.client("setting up").await.unwrap();
        let tx = client.begin().await.unwrap();
        let hr = source::upsert(&tx, "hr", Some("hr-publisher"), true)
            .await
            .unwrap()
            .id;
        let idp = source::upsert(&tx, "idp", None, false).await.unwrap().id;
        tx.commit().await.unwrap();
        for name in CONNECTIONS {
            let insert = format!(
                "INSERT INTO connection (id, provider, name, base_url, credential_ref, token_lifetime_s, clock_skew_s, in_flight_max, jobs_max)
                 VALUES (gen_random_uuid(), 'okta', '{name}', 'http://127.0.0.1:1', 'env:OKTA', 3600, 60, 8, 64)"
            );
            database.sql(&insert).await.unwrap();
        }
        drop(client);
        Self {
            database,
            store,
            hr,
            idp,
        }
    }

    /// With one person, `E1` at `hr`, who is returned.
    pub(crate) async fn with_person() -> (Self, SubjectId) {
        let fixture = Self::empty().await;
        fixture.import(&[fixture.person("E1")]).await;
        let id = fixture.subject("hr", "E1").await;
        (fixture, id)
    }

    pub(crate) fn person(&self, external_id: &str) -> ImportedPerson {
        ImportedPerson {
            source: self.hr,
            external_id: external_id.to_owned(),
            given_name: Some("Given".to_owned()),
            family_name: Some(format!("Family {external_id}")),
            emails: vec![format!("{external_id}@example.test")],
            employment: EmploymentState::Active,
            accounts: Vec::new(),
        }
    }

    pub(crate) async fn import(&self, people: &[ImportedPerson]) -> ImportReport {
        let mut client = self.store.client("importing").await.unwrap();
        let tx = client.begin().await.unwrap();
        let report = import(&tx, people).await.unwrap();
        tx.commit().await.unwrap();
        report
    }

    pub(crate) async fn subject(&self, source: &str, external_id: &str) -> SubjectId {
        let find = format!(
            "SELECT person_id FROM person_key JOIN source ON source.id = source_id WHERE name = '{source}' AND external_id = '{external_id}'"
        );
        self.sql(&find).await.parse().unwrap()
    }

    pub(crate) async fn connection(&self, name: &str) -> ConnectionId {
        let find = format!("SELECT id FROM connection WHERE name = '{name}'");
        self.sql(&find).await.parse().unwrap()
    }

    pub(crate) async fn sql(&self, statements: &str) -> String {
        self.database.sql(statements).await.unwrap()
    }

    pub(crate) fn hr_asker(&self) -> Asker {
        Asker::source(self.hr, "hr", Channel::Amqp)
    }

    pub(crate) fn idp_asker(&self) -> Asker {
        Asker::source(self.idp, "idp", Channel::Http)
    }

    pub(crate) async fn send(&self, asker: &Asker, event: &Value) -> Result<Accepted, AcceptError> {
        let event = LeaverEvent::parse(event.to_string().as_bytes()).unwrap();
        accept_leaver_event(&self.store, asker, &event).await
    }

    /// Sends an event of `hr` that must be accepted.
    pub(crate) async fn hr_sends(&self, event: &Value) -> Accepted {
        self.send(&self.hr_asker(), event).await.unwrap()
    }

    /// Asks by hand, as the token `ops`.
    pub(crate) async fn ask(&self, key: &str, body: &Value) -> Result<Accepted, AcceptError> {
        let asked = OptOutRequest::parse(body.to_string().as_bytes()).unwrap();
        let ops = Asker::token("ops", None, Channel::Http);
        accept_opt_out(&self.store, &ops, key, &asked).await
    }

    /// `connection state intent urgency` of each job, by connection and age.
    pub(crate) async fn jobs(&self) -> Vec<String> {
        let lines = self
            .sql("SELECT name || ' ' || job.state || ' ' || intent || ' ' || urgency FROM job JOIN connection ON connection.id = connection_id ORDER BY name, job.created_at, job.id")
            .await;
        lines.lines().map(ToOwned::to_owned).collect()
    }

    /// Brings every open job to its end, as a worker's closing settle would.
    pub(crate) async fn finish_jobs(&self, connections: &[&str]) {
        let names = connections.join("', '");
        let finish = format!(
            "UPDATE job SET state = 'done', due_at = NULL, settled_at = now(), lease_epoch = 1 FROM connection
             WHERE connection.id = connection_id AND connection.name IN ('{names}');
             UPDATE opt_out SET state = 'closed', closed_at = now()
             WHERE NOT EXISTS (SELECT FROM job WHERE opt_out_id = opt_out.id AND job.state NOT IN ('done', 'cancelled', 'replaced'));
             DELETE FROM outbox"
        );
        self.sql(&finish).await;
    }

    pub(crate) async fn count(&self, from: &str) -> i64 {
        self.sql(&format!("SELECT count(*) FROM {from}"))
            .await
            .parse()
            .unwrap()
    }
}

/// A leaver event about `E1`, effective an hour ago.
pub(crate) fn leaver(id: &str) -> Value {
    event(id, "leaver", "E1", 1)
}

pub(crate) fn event(id: &str, kind: &str, external_id: &str, version: i64) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "https://hr.test", "type": format!("sever.employment.{kind}.v1"),
        "time": "2026-01-01T00:00:00Z",
        "data": {"person": {"external_id": external_id}, "employment_version": version, "effective_at": hours_from_now(-1)},
    })
}

/// A request for `person`.
pub(crate) fn opt_out(person: SubjectId, intent: &str) -> Value {
    json!({"person": {"id": person}, "intent": intent, "reason": "asked out"})
}

/// An instant relative to the start of the tests: the same text each time, so that a body can be sent again.
pub(crate) fn hours_from_now(hours: i64) -> String {
    static START: OnceLock<Timestamp> = OnceLock::new();
    let start = START.get_or_init(Timestamp::now);
    (*start + SignedDuration::from_hours(hours)).to_string()
}

pub(crate) fn nobody() -> SubjectId {
    SubjectId(Uuid::from_u128(7))
}
