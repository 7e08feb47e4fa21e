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
