//! The rows that the bare program writes: as many and as wide as Sever's, into the same tables.
//!
//! Nothing is read, locked or decided, no digest or JSON is computed, and each transaction goes to the
//! server as one batch: what remains is what a store of this record costs.

use anyhow::Context as _;
use futures::future::{BoxFuture, FutureExt as _, try_join_all};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement};
use uuid::Uuid;

/// The one connection and worker instance of the bare program.
const FIXED: Uuid = Uuid::from_u128(0x5e7e_0b3c_0000_4000_8000_0000_0000_0001);

const PREPARE: &str = "
INSERT INTO connection (id, provider, name, base_url, credential_ref, token_lifetime_s, clock_skew_s, in_flight_max, jobs_max)
VALUES ('5e7e0b3c-0000-4000-8000-000000000001', 'okta', 'bench', 'http://127.0.0.1', 'env:BENCH', 0, 0, 64, 64) ON CONFLICT DO NOTHING;
INSERT INTO worker_instance (id, service, incarnation, dead_after_s)
VALUES ('5e7e0b3c-0000-4000-8000-000000000001', 'bare', gen_random_uuid(), 6) ON CONFLICT DO NOTHING";

const SUBJECTS: &str =
    "INSERT INTO subject (id, kind) SELECT id, 'person' FROM unnest($1::uuid[]) AS new (id)";
const PEOPLE: &str = "
INSERT INTO person (id, given_name, family_name, emails, employment_state)
SELECT id, 'Ada', 'Kim', ARRAY[id || '@example.com'], 'active' FROM unnest($1::uuid[]) AS new (id)";
const BINDINGS: &str = "
INSERT INTO binding (id, subject_id, connection_id, kind, provider_id, state, basis)
SELECT b, s, $3, 'account', a, 'candidate', 'source_listed' FROM unnest($1::uuid[], $2::uuid[], $4::text[]) AS new (b, s, a)";

/// The statements of all transactions. Wide columns are constants, as wide as what Sever writes there.
const STATEMENTS: [(&str, &str); 24] = [
    ("opt_out", "
INSERT INTO opt_out (id, subject_id, intent, urgency, effective_at, state) VALUES ($1, $2, 'remove', 'ordinary', now(), 'open')"),
    ("job", "
INSERT INTO job (id, kind, opt_out_id, subject_id, connection_id, provider, state, intent, urgency, effective_at, due_at, accepted_at)
VALUES ($1, 'opt_out', $2, $3, $4, 'okta', 'waiting', 'remove', 'ordinary', now(), now(), now())"),
    ("request", "
INSERT INTO request (id, asked_by, channel, idem_key, body_digest, event_kind, external_id, subject_id, opt_out_id, intent, urgency, reason,
                     effective_at, employment_version, occurred_at, state)
VALUES ($1, 'source:bench', 'http', 'https://hr.example/employment ' || $1::uuid, sha256('body'), 'leaver', 'B-100000', $2, $3, 'remove', 'ordinary',
        'end of contract', now(), 1, now(), 'attached')"),
    ("audit", "
INSERT INTO audit_event (id, actor, kind, subject_id, opt_out_id, job_id, canonical, digest)
SELECT gen_random_uuid(), 'worker:5e7e0b3c-0000-4000-8000-000000000001', 'effects.answered', $1, $2, $3, canonical, decode(repeat('5e', 32), 'hex')
FROM unnest($4::bytea[]) AS event (canonical)"),
    ("claim", "
UPDATE job SET state = 'running', due_at = NULL, lease_epoch = 1, lease_token = $1, lease_instance = $2, lease_until = now() + interval '1 minute',
       unsettled_epochs = 1 WHERE id = $1"),
    ("bind", "UPDATE binding SET state = 'confirmed', confirmed_at = now() WHERE id = $1"),
    ("charge", "INSERT INTO guard_charge (guard, subject_id, opt_out_id, weight) VALUES ('mass', $1, $2, 1)"),
    ("inspection", "
INSERT INTO inspection (id, job_id, seq, epoch, purpose, started_at, ended_at, digest)
VALUES ($1, $2, $3, 1, 'opening', now(), now(), decode(repeat('5e', 32), 'hex'))"),
    ("families_1", "
INSERT INTO inspection_family (inspection_id, binding_id, family, result, found) VALUES ($1, $2, 'account', 'complete', 1)"),
    ("families_12", "
INSERT INTO inspection_family (inspection_id, binding_id, family, result, found)
SELECT $1, $2, family, 'complete', 1
FROM unnest('{account,session,token,grant,api_token,role,group,app_assignment,factor,device,identity_link,ownership}'::text[]) AS f (family)"),
    ("entitlements", r#"
INSERT INTO entitlement (inspection_id, ordinal, binding_id, kind, provider_key, privileged, facts)
SELECT $1, n, $2, 'app_assignment', '0oa1000004GPNOqEoJ96', false, '{"name": "git_hosting", "label": "Git Hosting", "scope": "USER", "status": "ACTIVE"}'
FROM generate_series(1, $3::int4) AS n"#),
    ("plan", "
INSERT INTO plan (job_id, revision, inspection_id, epoch, digest) VALUES ($1, $2, $3, 1, decode(repeat('5e', 32), 'hex'))"),
    ("steps", "
INSERT INTO step (id, job_id, revision, ordinal, binding_id, action, class, target_kind, target_key, privileged, reversibility, declared_grade, facts, state)
SELECT id, $1, $2, n - 1, $3, 'remove_from_group', 'revoke', 'group', '00g1000002Tm9T1TVu' || n, false, 'reversible', 'read', '{}', 'planned'
FROM unnest($4::uuid[]) WITH ORDINALITY AS new (id, n)"),
    ("needs", "INSERT INTO step_need (step_id, needs_step_id) SELECT * FROM unnest($1::uuid[], $2::uuid[])"),
    ("attempt", "INSERT INTO attempt (job_id, no, epoch, instance_id) VALUES ($1, 1, 1, $2)"),
    ("effects", "INSERT INTO effect (step_id, no, attempt, epoch) SELECT id, 1, 1, 1 FROM unnest($1::uuid[]) AS new (id)"),
    ("answer", "
UPDATE effect SET answered_at = now(), status = 204, outcome = 'done', provider_request_id = 'reqBenchmark0000000000000'
WHERE step_id = ANY($1) AND no = 1"),
    ("apply", "UPDATE step SET state = $2, residual_until = now() WHERE id = ANY($1)"),
    ("extend", "UPDATE job SET plan_revision = $2, attempt = 1, first_revocation_at = now() WHERE id = $1"),
    ("prove", "UPDATE step SET state = 'verified', verified_grade = 'read', verified_at = now() WHERE id = ANY($1)"),
    ("verifications", "
INSERT INTO verification (step_id, no, inspection_id, grade, verdict, at, digest)
SELECT id, 1, $2, 'read', 'gone', now(), decode(repeat('5e', 32), 'hex') FROM unnest($1::uuid[]) AS new (id)"),
    ("settle", "
UPDATE job SET state = 'done', lease_token = NULL, lease_until = NULL, lease_instance = NULL, unsettled_epochs = 0, settled_at = now() WHERE id = $1"),
    ("end_attempt", "UPDATE attempt SET ended_at = now(), class = 'done' WHERE job_id = $1 AND no = 1"),
    ("close", "UPDATE opt_out SET state = 'closed', closed_at = now() WHERE id = $1"),
];

/// One opt-out of the bare program: ids that are made before the clock starts.
#[derive(Debug, Clone)]
pub struct BareOptOut {
    /// The job's id, which the bell carries.
    pub job: Uuid,
    /// The user id at the provider.
    pub account: String,
    opt_out: Uuid,
    request: Uuid,
    subject: Uuid,
    binding: Uuid,
    inspections: [Uuid; 3],
    /// The containing step, then those of the plan: four waves of calls and one that stands for Everyone.
    steps: Vec<Uuid>,
}

/// Steps of the plan after the containing one, by wave: 6, 4, 3 and 1 calls, and one without.
const WAVES: [std::ops::Range<usize>; 5] = [0..1, 1..7, 7..11, 11..14, 14..15];
const STEPS: usize = 16;

impl BareOptOut {
    /// A new one for this account.
    #[must_use]
    pub fn new(account: String) -> Self {
        let id = Uuid::now_v7;
        Self {
            account,
            job: id(),
            opt_out: id(),
            request: id(),
            subject: id(),
            binding: id(),
            inspections: std::array::from_fn(|_| id()),
            steps: (0..STEPS).map(|_| id()).collect(),
        }
    }
}

/// A value of a statement, owned until it is sent.
type Value = Box<dyn ToSql + Sync + Send>;
/// The name of a statement and its values.
type Write = (&'static str, Vec<Value>);

macro_rules! write {
    ($name:literal, $($value:expr),+) => { ($name, vec![$(Box::new($value) as Value),+]) };
}

/// One connection with every statement prepared.
pub struct Rows {
    client: Client,
    statements: Vec<(&'static str, Statement)>,
}

impl Rows {
    /// Connects and prepares.
    ///
    /// # Errors
    /// As PostgreSQL says.
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls)
            .await
            .context("connecting to PostgreSQL")?;
        // It ends when the client is dropped; a statement on a broken connection says so itself.
        tokio::spawn(connection);
        let mut statements = Vec::with_capacity(STATEMENTS.len());
        for (name, sql) in STATEMENTS {
            let prepared = client.prepare(sql).await;
            statements.push((name, prepared.with_context(|| format!("preparing {name}"))?));
        }
        Ok(Self { client, statements })
    }

    /// Writes what exists before a leaver is reported: connection, people, their accounts.
    ///
    /// # Errors
    /// As PostgreSQL says.
    pub async fn prepare(&self, opt_outs: &[BareOptOut]) -> anyhow::Result<()> {
        self.client
            .batch_execute(PREPARE)
            .await
            .context("writing the connection")?;
        let subjects: Vec<Uuid> = opt_outs.iter().map(|opt_out| opt_out.subject).collect();
        let bindings: Vec<Uuid> = opt_outs.iter().map(|opt_out| opt_out.binding).collect();
        let accounts: Vec<&str> = opt_outs
            .iter()
            .map(|opt_out| opt_out.account.as_str())
            .collect();
        for sql in [SUBJECTS, PEOPLE] {
            let written = self.client.execute(sql, &[&subjects]).await;
            written.context("writing people")?;
        }
        let values: [&(dyn ToSql + Sync); 4] = [&bindings, &subjects, &FIXED, &accounts];
        let written = self.client.execute(BINDINGS, &values).await;
        written.context("writing accounts").map(drop)
    }

    /// Commits the named transaction of one opt-out.
    ///
    /// # Errors
    /// As PostgreSQL says, or for a name that no transaction has.
    pub async fn commit(&self, name: &str, opt_out: &BareOptOut) -> anyhow::Result<()> {
        let writes = writes(name, opt_out).with_context(|| format!("no transaction '{name}'"))?;
        let mut sent: Vec<BoxFuture<'_, Result<u64, tokio_postgres::Error>>> =
            Vec::with_capacity(writes.len() + 2);
        // Polled in order, so that all of it travels together.
        sent.push(self.control("BEGIN"));
        for (statement, values) in &writes {
            let prepared = self.statements.iter().find(|(known, _)| known == statement);
            let (_, prepared) = prepared.with_context(|| format!("no statement {statement}"))?;
            let values = values
                .iter()
                .map(|value| value.as_ref() as &(dyn ToSql + Sync));
            sent.push(
                self.client
                    .execute_raw(prepared, values.collect::<Vec<_>>())
                    .boxed(),
            );
        }
        sent.push(self.control("COMMIT"));
        try_join_all(sent)
            .await
            .with_context(|| format!("committing '{name}'"))
            .map(drop)
    }

    fn control(&self, sql: &'static str) -> BoxFuture<'_, Result<u64, tokio_postgres::Error>> {
        let run = self.client.batch_execute(sql);
        async move { run.await.map(|()| 0) }.boxed()
    }
}

fn writes(name: &str, it: &BareOptOut) -> Option<Vec<Write>> {
    Some(match name {
        "accept" => vec![
            write!("opt_out", it.opt_out, it.subject),
            write!("job", it.job, it.opt_out, it.subject, FIXED),
            write!("request", it.request, it.subject, it.opt_out),
        ],
        "claim" => vec![write!("claim", it.job, FIXED), audit(it, &[320])],
        "contain" => contain(it),
        "open" => open(it),
        "wave_1" => wave(it, 1, Some(2)),
        "wave_2" => wave(it, 2, Some(3)),
        "wave_3" => wave(it, 3, Some(4)),
        "wave_4" => wave(it, 4, None),
        "settle" => settle(it),
        _ => return None,
    })
}

fn contain(it: &BareOptOut) -> Vec<Write> {
    let inspection = it.inspections[0];
    vec![
        write!("bind", it.binding),
        write!("charge", it.subject, it.opt_out),
        write!("inspection", inspection, it.job, 1_i32),
        write!("families_1", inspection, it.binding),
        write!("entitlements", inspection, it.binding, 1_i32),
        write!("plan", it.job, 0_i32, inspection),
        write!("steps", it.job, 0_i32, it.binding, it.steps[..1].to_vec()),
        write!("attempt", it.job, FIXED),
        write!("effects", it.steps[..1].to_vec()),
        write!("extend", it.job, 0_i32),
        audit(it, &[450, 350, 500, 500, 400]),
    ]
}

fn open(it: &BareOptOut) -> Vec<Write> {
    let inspection = it.inspections[1];
    let (from, to) = edges(&it.steps[1..]);
    vec![
        write!("answer", it.steps[WAVES[0].clone()].to_vec()),
        write!("apply", it.steps[WAVES[0].clone()].to_vec(), "applied"),
        write!("inspection", inspection, it.job, 2_i32),
        write!("families_12", inspection, it.binding),
        write!("entitlements", inspection, it.binding, 13_i32),
        write!("plan", it.job, 1_i32, inspection),
        write!("steps", it.job, 1_i32, it.binding, it.steps[1..].to_vec()),
        write!("needs", from, to),
        write!("effects", it.steps[WAVES[1].clone()].to_vec()),
        write!("extend", it.job, 1_i32),
        audit(it, &[550, 800, 2900, 1200]),
    ]
}

fn wave(it: &BareOptOut, answered: usize, intended: Option<usize>) -> Vec<Write> {
    let done = &it.steps[WAVES[answered].clone()];
    let mut writes = vec![
        write!("answer", done.to_vec()),
        write!("apply", done.to_vec(), "applied"),
    ];
    let mut widths = vec![250 + 300 * done.len()];
    if let Some(intended) = intended {
        let next = &it.steps[WAVES[intended].clone()];
        writes.push(write!("apply", next.to_vec(), "applying"));
        writes.push(write!("effects", next.to_vec()));
        widths.push(250 + 150 * next.len());
    }
    writes.push(audit(it, &widths));
    writes
}

fn settle(it: &BareOptOut) -> Vec<Write> {
    let inspection = it.inspections[2];
    vec![
        write!("inspection", inspection, it.job, 3_i32),
        write!("families_12", inspection, it.binding),
        write!("entitlements", inspection, it.binding, 2_i32),
        write!("prove", it.steps.clone()),
        write!("verifications", it.steps.clone(), inspection),
        write!("settle", it.job),
        write!("end_attempt", it.job),
        write!("close", it.opt_out),
        audit(it, &[550, 800, 3000, 350, 300]),
    ]
}

/// As many edges as the fixed person's plan has.
fn edges(steps: &[Uuid]) -> (Vec<Uuid>, Vec<Uuid>) {
    let on_first = (1..steps.len()).map(|step| (step, 0));
    let on_second = (2..11).map(|step| (step, 1));
    let edges = on_first.chain(on_second);
    edges
        .map(|(step, needs)| (steps[step], steps[needs]))
        .unzip()
}

fn audit(it: &BareOptOut, widths: &[usize]) -> Write {
    let canonical: Vec<Vec<u8>> = widths.iter().map(|width| text(*width)).collect();
    write!("audit", it.subject, it.opt_out, it.job, canonical)
}

/// Text of this width that PostgreSQL compresses as it compresses an audit event: keys repeat, ids do not.
fn text(width: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(width + 160);
    while text.len() < width {
        let item = format!(
            r#"{{"action":"remove_from_group","step":"{}","target":"00g1000002Tm9T1TVuHe","target_kind":"group"}},"#,
            Uuid::new_v4()
        );
        text.extend_from_slice(item.as_bytes());
    }
    text.truncate(width);
    text
}
