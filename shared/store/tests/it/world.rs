//! A database in which one leaver's access at one connection was removed and proven, with everything on record: no invariant
//! is broken. Tests change one thing in it.

use jiff::Timestamp;
use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::{ConnectionId, HoldId, JobId, OptOutId, SubjectId};
use sever_store::{Client, Store, audit};
use sever_testkit::Database;
use uuid::Uuid;

pub(crate) struct World {
    pub database: Database,
    pub store: Store,
    pub subject: SubjectId,
    pub connection: ConnectionId,
    pub opt_out: OptOutId,
    pub job: JobId,
}

/// The step that removed a group membership; the steps are ordered by id.
pub(crate) const GROUP_STEP: &str = "00000000-0000-7000-8000-000000000002";
/// The closing inspection.
pub(crate) const CLOSING: &str = "00000000-0000-7000-8000-0000000000c2";
/// The confirmed account.
pub(crate) const BINDING: &str = "00000000-0000-7000-8000-0000000000b1";
/// The manual step of [`World::asked`].
pub(crate) const TASK: &str = "00000000-0000-7000-8000-000000000004";
/// The worker.
pub(crate) const INSTANCE: &str = "00000000-0000-7000-8000-0000000000a1";

/// Every table that tests write to, in an order in which rows may be deleted.
const TABLES: [&str; 34] = [
    "replay_member",
    "replay",
    "dead_raw",
    "dlq_look",
    "verification",
    "effect",
    "task",
    "step",
    "plan",
    "entitlement",
    "inspection_family",
    "inspection",
    "attempt",
    "dead_letter",
    "outbox",
    "job",
    "guard_charge",
    "hold",
    "request",
    "opt_out",
    "binding",
    "protected_principal",
    "employment_event",
    "person_key",
    "person",
    "integration",
    "subject",
    "breaker",
    "rate_bucket",
    "connection",
    "worker_instance",
    "source",
    "intake_reject",
    "audit_event",
];

impl World {
    /// A person, their removal, and its proof.
    pub(crate) async fn removed() -> Self {
        let database = Database::fresh().await.unwrap();
        let world = Self {
            store: database.store().unwrap(),
            database,
            subject: SubjectId::generate(),
            connection: ConnectionId::generate(),
            opt_out: OptOutId::generate(),
            job: JobId::generate(),
        };
        world.fill().await;
        world
    }

    /// Makes everything as it was at first; cheaper than another database, and than truncating.
    pub(crate) async fn reset(&self) {
        let deletes: String = TABLES.map(|table| format!("DELETE FROM {table};")).concat();
        self.sql(&(deletes + &self.rows())).await;
        self.record().await;
    }

    async fn fill(&self) {
        self.sql(&self.rows()).await;
        self.record().await;
    }

    fn rows(&self) -> String {
        [self.directory(), self.work(), self.evidence()].join(";")
    }

    /// The same person and connection, with a removal that a hold of this reason stops; nothing of it has begun. It was asked
    /// for by `token:asker`, and by the source `hr`.
    pub(crate) async fn held(reason: &str) -> (Self, HoldId) {
        let database = Database::fresh().await.unwrap();
        let world = Self {
            store: database.store().unwrap(),
            database,
            subject: SubjectId::generate(),
            connection: ConnectionId::generate(),
            opt_out: OptOutId::generate(),
            job: JobId::generate(),
        };
        world.sql(&world.directory()).await;
        world.sql(&world.work()).await;
        let hold = HoldId::generate();
        let (opt_out, job) = (world.opt_out, world.job);
        world
            .sql(&format!(
                "UPDATE opt_out SET state = 'open', closed_at = NULL WHERE id = '{opt_out}';
                 UPDATE job SET state = 'held', state_reason = '{reason}', attempt = 0, lease_epoch = 0, settled_at = NULL, plan_revision = -1 WHERE id = '{job}';
                 DELETE FROM attempt;
                 INSERT INTO hold (id, scope, target_id, reason, policy, requested_by)
                 VALUES ('{hold}', 'opt_out', '{opt_out}', '{reason}', 'nothing', 'source:hr');
                 INSERT INTO request (id, asked_by, channel, idem_key, body_digest, event_kind, subject_id, opt_out_id, intent, urgency, reason, effective_at, occurred_at, state)
                 VALUES (gen_random_uuid(), 'token:asker', 'console', 'k2', sha256('b'), 'opt_out', '{}', '{opt_out}', 'remove', 'ordinary', 'asked', now(), now(), 'attached')",
                world.subject
            ))
            .await;
        (world, hold)
    }

    /// The same removal, open again: its job waits for a person, who was asked an hour ago to end a token ([`TASK`]) within
    /// half an hour. What it ended can work for ten minutes more.
    pub(crate) async fn asked() -> Self {
        let world = Self::removed().await;
        let job = world.job;
        world
            .sql(&format!(
                "UPDATE opt_out SET state = 'open', closed_at = NULL;
                 UPDATE job SET state = 'waiting', state_reason = 'task', due_at = now() + interval '5 minutes';
                 INSERT INTO step (id, job_id, revision, ordinal, binding_id, action, class, target_kind, target_key, privileged, reversibility, declared_grade, facts, state, residual_s)
                 VALUES ('{TASK}', '{job}', 1, 2, '{BINDING}', 'revoke_api_token', 'revoke', 'api_token', 'console', true, 'one_way', 'attested', '{{\"label\": \"Console token\"}}', 'asked', 600);
                 INSERT INTO task (step_id, asked_of, what, link, evidence_required, asked_at, due_at)
                 VALUES ('{TASK}', 'okta-admin', 'revoke the console token', 'https://example.okta.com/admin', 'a screenshot', now() - interval '1 hour', now() - interval '30 minutes')"
            ))
            .await;
        world
    }

    pub(crate) async fn client(&self) -> Client {
        self.store.client("testing").await.unwrap()
    }

    /// Runs statements as the owner.
    pub(crate) async fn sql(&self, statements: &str) -> String {
        self.database.sql(statements).await.unwrap()
    }

    /// Runs `work` while its first lock on a job has to wait: somebody holds the rows, does `then` once so many
    /// statements wait for them, and commits.
    pub(crate) async fn behind_a_lock<T>(
        &self,
        waiting: usize,
        then: &str,
        work: impl Future<Output = T>,
    ) -> T {
        let holder = format!(
            "DO $$ BEGIN
                 PERFORM 1 FROM job FOR UPDATE;
                 PERFORM pg_advisory_xact_lock(1);
                 FOR turn IN 1..3000 LOOP
                     PERFORM pg_stat_clear_snapshot();
                     EXIT WHEN (SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()) >= {waiting};
                     IF turn = 3000 THEN RAISE 'nobody waits'; END IF;
                     PERFORM pg_sleep(0.01);
                 END LOOP;
                 {then};
             END $$"
        );
        let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        let late = async {
            while self.sql(held).await == "0" {
                tokio::task::yield_now().await;
            }
            work.await
        };
        futures::future::join(self.sql(&holder), late).await.1
    }

    /// The kinds of the opt-out's audit events, in order.
    pub(crate) async fn kinds(&self) -> Vec<String> {
        let events = audit::of_opt_out(&self.client().await, self.opt_out, 1000)
            .await
            .unwrap();
        assert!(events.iter().all(|event| event.digest_holds));
        events.into_iter().map(|event| event.kind).collect()
    }

    fn directory(&self) -> String {
        let (subject, connection) = (self.subject, self.connection);
        format!(
            "INSERT INTO source (id, name, trusted) VALUES ('00000000-0000-7000-8000-0000000000d1', 'hr', true);
             INSERT INTO subject (id, kind) VALUES ('{subject}', 'person');
             INSERT INTO person (id, given_name, family_name, emails, employment_state)
             VALUES ('{subject}', 'Ada', 'Byron', '{{ada@example.test}}', 'left');
             INSERT INTO person_key (person_id, source_id, external_id) VALUES ('{subject}', '00000000-0000-7000-8000-0000000000d1', '7');
             INSERT INTO connection (id, provider, name, base_url, credential_ref, token_lifetime_s, clock_skew_s, in_flight_max, jobs_max)
             VALUES ('{connection}', 'okta', 'okta-main', 'https://example.okta.com', 'env:OKTA', 3600, 30, 8, 64);
             INSERT INTO binding (id, subject_id, connection_id, kind, provider_id, state, basis, created_at, confirmed_at)
             VALUES ('{BINDING}', '{subject}', '{connection}', 'account', '00u1', 'confirmed', 'source_listed', now() - interval '1 hour', now() - interval '1 hour')"
        )
    }

    fn work(&self) -> String {
        let Self {
            subject,
            connection,
            opt_out,
            job,
            ..
        } = self;
        format!(
            "INSERT INTO opt_out (id, subject_id, intent, urgency, effective_at, state, opened_at, closed_at)
             VALUES ('{opt_out}', '{subject}', 'remove', 'ordinary', now() - interval '30 minutes', 'closed', now() - interval '30 minutes', now());
             INSERT INTO request (id, source_id, asked_by, channel, idem_key, body_digest, event_kind, external_id, subject_id, opt_out_id, intent, urgency, reason, effective_at, occurred_at, state)
             VALUES (gen_random_uuid(), '00000000-0000-7000-8000-0000000000d1', 'source:hr', 'amqp', 'k1', sha256('a'), 'leaver', '7', '{subject}', '{opt_out}', 'remove', 'ordinary', 'last day', now(), now(), 'attached');
             INSERT INTO worker_instance (id, service, incarnation, dead_after_s) SELECT '{INSTANCE}', 'worker-okta', value, 6 FROM incarnation;
             INSERT INTO job (id, kind, opt_out_id, subject_id, connection_id, provider, state, intent, urgency, effective_at, attempt, lease_epoch, plan_revision, opt_out_revision, accepted_at, settled_at)
             VALUES ('{job}', 'opt_out', '{opt_out}', '{subject}', '{connection}', 'okta', 'done', 'remove', 'ordinary', now() - interval '30 minutes', 1, 1, 1, 1, now() - interval '30 minutes', now());
             INSERT INTO attempt (job_id, no, epoch, instance_id, ended_at, class) VALUES ('{job}', 1, 1, '{INSTANCE}', now(), 'done')"
        )
    }

    fn evidence(&self) -> String {
        let job = self.job;
        let opening = "00000000-0000-7000-8000-0000000000c1";
        format!(
            "INSERT INTO inspection (id, job_id, seq, epoch, purpose, started_at, ended_at, digest) VALUES
             ('{opening}', '{job}', 1, 1, 'opening', now() - interval '20 minutes', now() - interval '20 minutes', sha256('o')),
             ('{CLOSING}', '{job}', 2, 1, 'closing', now() - interval '5 minutes', now() - interval '5 minutes', sha256('c'));
             INSERT INTO inspection_family (inspection_id, binding_id, family, result, found, rule) VALUES
             ('{opening}', '{BINDING}', 'account', 'complete', 1, NULL), ('{opening}', '{BINDING}', 'group', 'complete', 2, NULL),
             ('{opening}', '{BINDING}', 'session', 'unsupported', 0, 'okta.sessions_end'),
             ('{CLOSING}', '{BINDING}', 'account', 'complete', 1, NULL), ('{CLOSING}', '{BINDING}', 'group', 'complete', 1, NULL),
             ('{CLOSING}', '{BINDING}', 'session', 'unsupported', 0, 'okta.sessions_end');
             INSERT INTO entitlement (inspection_id, ordinal, binding_id, kind, provider_key, privileged, facts) VALUES
             ('{CLOSING}', 0, '{BINDING}', 'account', '00u1', false, '{{}}'), ('{CLOSING}', 1, '{BINDING}', 'group', 'everyone', false, '{{}}');
             INSERT INTO plan (job_id, revision, inspection_id, epoch, digest) VALUES ('{job}', 0, '{opening}', 1, sha256('p')), ('{job}', 1, '{opening}', 1, sha256('q'));
             INSERT INTO step (id, job_id, revision, ordinal, binding_id, action, class, target_kind, target_key, privileged, reversibility, declared_grade, rule, facts, state, verified_grade, verified_at) VALUES
             ('00000000-0000-7000-8000-000000000001', '{job}', 0, 0, '{BINDING}', 'suspend_account', 'contain', 'account', '00u1', false, 'reversible', 'read', NULL, '{{}}', 'verified', 'read', now()),
             ('{GROUP_STEP}', '{job}', 1, 0, '{BINDING}', 'remove_from_group', 'revoke', 'group', 'admins', true, 'reversible', 'read', NULL, '{{\"label\": \"Admins\"}}', 'verified', 'read', now()),
             ('00000000-0000-7000-8000-000000000003', '{job}', 1, 1, '{BINDING}', 'leave', 'revoke', 'group', 'everyone', false, 'reversible', 'implied', 'okta.everyone', '{{}}', 'inert', NULL, NULL);
             INSERT INTO effect (step_id, no, attempt, epoch, intent_at, answered_at, status, outcome) VALUES
             ('00000000-0000-7000-8000-000000000001', 1, 1, 1, now() - interval '19 minutes', now() - interval '19 minutes', 200, 'done'),
             ('{GROUP_STEP}', 1, 1, 1, now() - interval '18 minutes', now() - interval '18 minutes', 204, 'done');
             INSERT INTO verification (step_id, no, inspection_id, grade, verdict, at, digest) VALUES
             ('{GROUP_STEP}', 1, '{CLOSING}', 'read', 'gone', now(), sha256('v'))"
        )
    }

    async fn record(&self) {
        let now = Timestamp::UNIX_EPOCH;
        let event = |kind, data| {
            AuditEvent::new(kind, now, format!("worker:{}", Uuid::nil()), data)
                .subject(self.subject)
                .opt_out(self.opt_out)
        };
        let of_job = |kind, data| event(kind, data).job(self.job);
        let events = [
            event(AuditKind::RequestAccepted, json!({})),
            event(AuditKind::OptOutOpened, json!({})),
            of_job(AuditKind::JobCreated, json!({})),
            of_job(AuditKind::JobClaimed, json!({"epoch": 1})),
            of_job(AuditKind::StepsIntended, json!({"steps": [GROUP_STEP]})),
            of_job(AuditKind::JobSettled, json!({"to": "done"})),
            of_job(AuditKind::OptOutClosed, json!({"revision": 1})),
        ];
        let mut client = self.client().await;
        let tx = client.begin().await.unwrap();
        audit::insert(&tx, &events).await.unwrap();
        tx.commit().await.unwrap();
    }
}
