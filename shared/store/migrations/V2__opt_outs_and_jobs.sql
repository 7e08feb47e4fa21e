CREATE TABLE opt_out (
    id              uuid PRIMARY KEY,
    subject_id      uuid NOT NULL REFERENCES subject (id),
    intent          text NOT NULL CHECK (intent IN ('disable', 'remove')),
    urgency         text NOT NULL CHECK (urgency IN ('ordinary', 'urgent')),
    scope           uuid[],
    effective_at    timestamptz NOT NULL,
    state           text NOT NULL CHECK (state IN ('open', 'closed', 'cancelled', 'reversed')),
    revision        integer NOT NULL DEFAULT 1 CHECK (revision > 0),
    reversed_by     uuid REFERENCES opt_out (id),
    opened_at       timestamptz NOT NULL DEFAULT now(),
    closed_at       timestamptz,
    CHECK ((state = 'open') = (closed_at IS NULL))
);
COMMENT ON TABLE opt_out IS 'One removal of a subject''s access; at most one is open for each subject.';
COMMENT ON COLUMN opt_out.scope IS 'Connections named; NULL means all.';
COMMENT ON COLUMN opt_out.revision IS 'Grows when a further request attaches; a running job plans again.';
CREATE UNIQUE INDEX opt_out_one_open ON opt_out (subject_id) WHERE state = 'open';
CREATE INDEX opt_out_subject ON opt_out (subject_id, opened_at);

CREATE TABLE request (
    id              uuid PRIMARY KEY,
    source_id       uuid REFERENCES source (id),
    asked_by        text NOT NULL,
    channel         text NOT NULL CHECK (channel IN ('amqp', 'http', 'console')),
    idem_key        text NOT NULL CHECK (length(idem_key) BETWEEN 1 AND 512),
    body_digest     bytea NOT NULL CHECK (octet_length(body_digest) = 32),
    event_kind      text NOT NULL CHECK (event_kind IN ('leaver', 'rehired', 'leave_cancelled', 'last_day_changed', 'opt_out')),
    external_id     text,
    email_digest    bytea,
    subject_id      uuid REFERENCES subject (id),
    opt_out_id      uuid REFERENCES opt_out (id),
    intent          text CHECK (intent IN ('disable', 'remove')),
    urgency         text NOT NULL CHECK (urgency IN ('ordinary', 'urgent')),
    scope           uuid[],
    reason          text NOT NULL DEFAULT '',
    effective_at    timestamptz,
    employment_version bigint,
    occurred_at     timestamptz NOT NULL,
    state           text NOT NULL CHECK (state IN ('attached', 'unmatched', 'held', 'recorded', 'closed')),
    received_at     timestamptz NOT NULL DEFAULT now(),
    alerted_at      timestamptz,
    CHECK (state <> 'attached' OR (opt_out_id IS NOT NULL AND subject_id IS NOT NULL)),
    CHECK (event_kind NOT IN ('leaver', 'opt_out') OR (intent IS NOT NULL AND effective_at IS NOT NULL))
);
COMMENT ON TABLE request IS 'What a source asked for or reported, once for each source and key.';
COMMENT ON COLUMN request.asked_by IS 'The source or the token''s name; never the approver of what it caused.';
COMMENT ON COLUMN request.idem_key IS 'CloudEvents source + id, or Idempotency-Key.';
COMMENT ON COLUMN request.email_digest IS 'SHA-256 of the lower-cased e-mail named in the event, for finding candidates; never confirms.';
CREATE UNIQUE INDEX request_idempotent ON request (asked_by, idem_key);
CREATE INDEX request_unmatched ON request (received_at) WHERE state = 'unmatched';
CREATE INDEX request_opt_out ON request (opt_out_id);

CREATE TABLE intake_reject (
    id              uuid PRIMARY KEY,
    source_name     text NOT NULL,
    channel         text NOT NULL CHECK (channel IN ('amqp', 'http', 'console')),
    digest          bytea NOT NULL CHECK (octet_length(digest) = 32),
    other_digest    bytea CHECK (octet_length(other_digest) = 32),
    reason          text NOT NULL,
    field           text,
    body            bytea NOT NULL,
    body_bytes      bigint NOT NULL,
    times           bigint NOT NULL DEFAULT 1,
    received_at     timestamptz NOT NULL DEFAULT now(),
    last_at         timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL DEFAULT now() + interval '90 days',
    UNIQUE (source_name, digest, reason)
);
COMMENT ON TABLE intake_reject IS 'What could not be taken in, with its raw body (cut at 256 KiB) and the reason.';
COMMENT ON COLUMN intake_reject.other_digest IS 'For a reused key: the digest of the body that was accepted under it.';

CREATE TABLE worker_instance (
    id              uuid PRIMARY KEY,
    service         text NOT NULL,
    incarnation     uuid NOT NULL,
    dead_after_s    double precision NOT NULL CHECK (dead_after_s > 0),
    started_at      timestamptz NOT NULL DEFAULT now(),
    heartbeat_at    timestamptz NOT NULL DEFAULT now(),
    stopped_at      timestamptz
);
COMMENT ON TABLE worker_instance IS 'Running processes. A lease lives while its instance''s heartbeat is fresh.';
COMMENT ON COLUMN worker_instance.dead_after_s IS 'The age of the heartbeat at which this process counts as dead; it stops calling well before.';
CREATE INDEX worker_instance_fresh ON worker_instance (heartbeat_at) WHERE stopped_at IS NULL;

CREATE TABLE job (
    id                  uuid PRIMARY KEY,
    kind                text NOT NULL CHECK (kind IN ('opt_out')),
    opt_out_id          uuid NOT NULL REFERENCES opt_out (id),
    subject_id          uuid NOT NULL REFERENCES subject (id),
    connection_id       uuid NOT NULL REFERENCES connection (id),
    provider            text NOT NULL CHECK (provider IN ('okta', 'entra', 'vanta', 'scim', 'oidc')),
    state               text NOT NULL CHECK (state IN ('waiting', 'running', 'held', 'parked', 'dead', 'done', 'cancelled', 'replaced')),
    state_reason        text,
    intent              text NOT NULL CHECK (intent IN ('disable', 'remove')),
    urgency             text NOT NULL CHECK (urgency IN ('ordinary', 'urgent')),
    effective_at        timestamptz NOT NULL,
    due_at              timestamptz,
    rung_at             timestamptz,
    rung_again          boolean NOT NULL DEFAULT false,
    attempt             integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    failing_since       timestamptz,
    failures            integer NOT NULL DEFAULT 0,
    lease_epoch         bigint NOT NULL DEFAULT 0,
    lease_token         uuid,
    lease_instance      uuid REFERENCES worker_instance (id),
    lease_until         timestamptz,
    unsettled_epochs    integer NOT NULL DEFAULT 0 CHECK (unsettled_epochs >= 0),
    plan_revision       integer NOT NULL DEFAULT -1,
    opt_out_revision    integer NOT NULL DEFAULT 0,
    accepted_at         timestamptz NOT NULL,
    first_revocation_at timestamptz,
    settled_at          timestamptz,
    created_at          timestamptz NOT NULL DEFAULT now(),
    CHECK ((state = 'running') = (lease_token IS NOT NULL)),
    CHECK ((state = 'running') = (lease_until IS NOT NULL)),
    CHECK (state <> 'waiting' OR due_at IS NOT NULL)
) WITH (fillfactor = 70);
COMMENT ON TABLE job IS 'One opt-out at one connection.';
COMMENT ON COLUMN job.due_at IS 'When it may run next; every delay (effective time, retry, wait) is this column.';
COMMENT ON COLUMN job.rung_at IS 'When the broker last confirmed a bell for it.';
COMMENT ON COLUMN job.rung_again IS 'A bell came while a lease was alive; the settle rings once more.';
COMMENT ON COLUMN job.unsettled_epochs IS 'Epochs in a row that ended without a settle; three make a crash loop.';
COMMENT ON COLUMN job.plan_revision IS 'The newest stored plan; -1 before the first.';
COMMENT ON COLUMN job.opt_out_revision IS 'The revision of the opt-out that the newest plan knows.';
CREATE UNIQUE INDEX job_one_open ON job (subject_id, connection_id) WHERE state IN ('waiting', 'running', 'held', 'parked', 'dead');
CREATE INDEX job_opt_out ON job (opt_out_id);
CREATE INDEX job_subject ON job (subject_id, connection_id, created_at);
CREATE INDEX job_due ON job (due_at) WHERE state = 'waiting';
CREATE INDEX job_leased ON job (connection_id) WHERE state = 'running';
CREATE INDEX job_open_state ON job (state, provider) WHERE state IN ('waiting', 'running', 'held', 'parked', 'dead');

CREATE TABLE job_need (
    job_id          uuid NOT NULL REFERENCES job (id),
    needs_job_id    uuid NOT NULL REFERENCES job (id),
    PRIMARY KEY (job_id, needs_job_id),
    CHECK (job_id <> needs_job_id)
);
COMMENT ON TABLE job_need IS 'Jobs that must be closed before another may be claimed.';
CREATE INDEX job_need_needs ON job_need (needs_job_id);

CREATE TABLE attempt (
    job_id          uuid NOT NULL REFERENCES job (id),
    no              integer NOT NULL CHECK (no > 0),
    epoch           bigint NOT NULL,
    instance_id     uuid NOT NULL REFERENCES worker_instance (id),
    started_at      timestamptz NOT NULL DEFAULT now(),
    ended_at        timestamptz,
    class           text CHECK (class IN ('done', 'wait', 'retry', 'retry_at', 'credentials', 'permanent', 'needs_person', 'shutting_down')),
    detail          text,
    PRIMARY KEY (job_id, no),
    UNIQUE (job_id, epoch)
);
COMMENT ON TABLE attempt IS 'Tries of a job: made by the first intent of an epoch, else by a settle that is neither wait nor drain.';

COMMENT ON COLUMN opt_out.id IS 'Its id.';
COMMENT ON COLUMN opt_out.subject_id IS 'Who loses access.';
COMMENT ON COLUMN opt_out.intent IS 'disable contains and cuts sessions and tokens, remove takes everything.';
COMMENT ON COLUMN opt_out.urgency IS 'Which queue its jobs take.';
COMMENT ON COLUMN opt_out.effective_at IS 'Nothing is done before.';
COMMENT ON COLUMN opt_out.state IS 'Whether work is open, and how it ended.';
COMMENT ON COLUMN opt_out.reversed_by IS 'The opt-out that reversed it; NULL where none did.';
COMMENT ON COLUMN opt_out.opened_at IS 'When the first request opened it.';
COMMENT ON COLUMN opt_out.closed_at IS 'When its last job ended; NULL while it is open.';
COMMENT ON COLUMN request.id IS 'Its id.';
COMMENT ON COLUMN request.source_id IS 'The source that it came from; NULL for a person at the console.';
COMMENT ON COLUMN request.channel IS 'The way in.';
COMMENT ON COLUMN request.body_digest IS 'SHA-256 of the body; another body under the same key is refused.';
COMMENT ON COLUMN request.event_kind IS 'What was reported or asked.';
COMMENT ON COLUMN request.external_id IS 'Whom it names, in the source''s words.';
COMMENT ON COLUMN request.subject_id IS 'Whom it was found to mean; NULL while unmatched.';
COMMENT ON COLUMN request.opt_out_id IS 'The opt-out that it opened or attached to.';
COMMENT ON COLUMN request.intent IS 'How far it asks to go; NULL where it asks for no removal.';
COMMENT ON COLUMN request.urgency IS 'Which queue it asks for.';
COMMENT ON COLUMN request.scope IS 'Connections named; NULL means all.';
COMMENT ON COLUMN request.reason IS 'Why, in the asker''s words, without personal data.';
COMMENT ON COLUMN request.effective_at IS 'When it asks to take effect; NULL where it asks for no removal.';
COMMENT ON COLUMN request.employment_version IS 'The source''s version of the employment that it reports.';
COMMENT ON COLUMN request.occurred_at IS 'When it happened, by the sender''s clock.';
COMMENT ON COLUMN request.state IS 'What became of it.';
COMMENT ON COLUMN request.received_at IS 'When it was recorded.';
COMMENT ON COLUMN request.alerted_at IS 'When somebody was told that it stays unmatched; NULL before.';
COMMENT ON COLUMN intake_reject.id IS 'Its id.';
COMMENT ON COLUMN intake_reject.source_name IS 'Who sent it, as far as that is known.';
COMMENT ON COLUMN intake_reject.channel IS 'The way in.';
COMMENT ON COLUMN intake_reject.digest IS 'SHA-256 of the whole body.';
COMMENT ON COLUMN intake_reject.reason IS 'Why it could not be taken.';
COMMENT ON COLUMN intake_reject.field IS 'The field that is wrong; NULL where it is none alone.';
COMMENT ON COLUMN intake_reject.body IS 'The raw body, which may hold personal data.';
COMMENT ON COLUMN intake_reject.body_bytes IS 'Bytes of the whole body, before the cut.';
COMMENT ON COLUMN intake_reject.times IS 'How often the same body came for the same reason.';
COMMENT ON COLUMN intake_reject.received_at IS 'When it came first.';
COMMENT ON COLUMN intake_reject.last_at IS 'When it came last.';
COMMENT ON COLUMN intake_reject.expires_at IS 'It may be deleted from then on.';
COMMENT ON COLUMN worker_instance.id IS 'Drawn anew by each process.';
COMMENT ON COLUMN worker_instance.service IS 'The service''s name.';
COMMENT ON COLUMN worker_instance.incarnation IS 'The history of the database in which it started.';
COMMENT ON COLUMN worker_instance.started_at IS 'When it registered.';
COMMENT ON COLUMN worker_instance.heartbeat_at IS 'Its last sign of life.';
COMMENT ON COLUMN worker_instance.stopped_at IS 'When it said goodbye; NULL while it runs or where it was killed.';
COMMENT ON COLUMN job.id IS 'Its id, which bells carry.';
COMMENT ON COLUMN job.kind IS 'What kind of work it is.';
COMMENT ON COLUMN job.opt_out_id IS 'The opt-out that it belongs to.';
COMMENT ON COLUMN job.subject_id IS 'Whose access; the opt-out''s.';
COMMENT ON COLUMN job.connection_id IS 'Where.';
COMMENT ON COLUMN job.provider IS 'The connection''s provider.';
COMMENT ON COLUMN job.state IS 'Its place in the state machine of jobs.';
COMMENT ON COLUMN job.state_reason IS 'Why it is in this state, where that needs a word.';
COMMENT ON COLUMN job.intent IS 'The opt-out''s, as far as this job knows it.';
COMMENT ON COLUMN job.urgency IS 'The opt-out''s, as far as this job knows it.';
COMMENT ON COLUMN job.effective_at IS 'It is not claimed before.';
COMMENT ON COLUMN job.attempt IS 'Attempts so far.';
COMMENT ON COLUMN job.failing_since IS 'When the present run of failures began; NULL where the last attempt went well.';
COMMENT ON COLUMN job.failures IS 'Failures in a row; the retry delay grows with it.';
COMMENT ON COLUMN job.lease_epoch IS 'Grows with every claim; writes of an older epoch are refused.';
COMMENT ON COLUMN job.lease_token IS 'The random token of the present lease; NULL without one.';
COMMENT ON COLUMN job.lease_instance IS 'The process that holds the lease.';
COMMENT ON COLUMN job.lease_until IS 'The lease''s ceiling, whatever the heartbeat says.';
COMMENT ON COLUMN job.accepted_at IS 'When the request that made it was accepted; latencies count from there.';
COMMENT ON COLUMN job.first_revocation_at IS 'When the first call that takes something away succeeded; NULL before.';
COMMENT ON COLUMN job.settled_at IS 'When a worker last gave it back or it ended.';
COMMENT ON COLUMN job.created_at IS 'When it was made.';
COMMENT ON COLUMN job_need.job_id IS 'The job that waits.';
COMMENT ON COLUMN job_need.needs_job_id IS 'The job that it waits for.';
COMMENT ON COLUMN attempt.job_id IS 'The job that was tried.';
COMMENT ON COLUMN attempt.no IS '1, 2, 3 without gaps.';
COMMENT ON COLUMN attempt.epoch IS 'The lease epoch in which it was made.';
COMMENT ON COLUMN attempt.instance_id IS 'The process that made it.';
COMMENT ON COLUMN attempt.started_at IS 'When it began.';
COMMENT ON COLUMN attempt.ended_at IS 'When it was settled; NULL while it runs or where its worker died.';
COMMENT ON COLUMN attempt.class IS 'How it ended; NULL while it has not.';
COMMENT ON COLUMN attempt.detail IS 'A code of what went wrong, without personal data.';
