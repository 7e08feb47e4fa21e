CREATE TABLE outbox (
    id              uuid PRIMARY KEY,
    job_id          uuid REFERENCES job (id),
    exchange        text NOT NULL,
    routing_key     text NOT NULL,
    body            bytea NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    next_try_at     timestamptz NOT NULL DEFAULT now(),
    tries           integer NOT NULL DEFAULT 0,
    last_problem    text,
    claim_token     uuid,
    claimed_until   timestamptz
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE outbox IS 'Bells to be published; a row is deleted when the broker confirmed it.';
CREATE UNIQUE INDEX outbox_one_bell ON outbox (job_id, exchange) WHERE claim_token IS NULL;
CREATE INDEX outbox_job ON outbox (job_id, exchange);
CREATE INDEX outbox_due ON outbox (next_try_at);

CREATE TABLE broker_epoch (
    only_row        boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    lost_at         timestamptz
);
COMMENT ON TABLE broker_epoch IS 'When the broker''s data was last found gone; what was rung before is rung again.';
INSERT INTO broker_epoch DEFAULT VALUES;

CREATE TABLE dead_letter (
    id              uuid PRIMARY KEY,
    job_id          uuid NOT NULL REFERENCES job (id),
    fingerprint     text NOT NULL,
    reason          text NOT NULL,
    state           text NOT NULL CHECK (state IN ('open', 'replayed', 'resolved', 'discarded')),
    opened_at       timestamptz NOT NULL DEFAULT now(),
    closed_at       timestamptz,
    CHECK ((state = 'open') = (closed_at IS NULL))
);
COMMENT ON TABLE dead_letter IS 'Jobs that a person must look at.';
COMMENT ON COLUMN dead_letter.fingerprint IS 'provider:action:class:code, by which equal failures are counted together.';
CREATE UNIQUE INDEX dead_letter_one_open ON dead_letter (job_id) WHERE state = 'open';

CREATE TABLE audit_event (
    seq             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id              uuid NOT NULL,
    at              timestamptz NOT NULL DEFAULT now(),
    actor           text NOT NULL,
    kind            text NOT NULL,
    subject_id      uuid,
    opt_out_id      uuid,
    job_id          uuid,
    canonical       bytea NOT NULL,
    digest          bytea NOT NULL CHECK (octet_length(digest) = 32)
);
COMMENT ON TABLE audit_event IS 'Every transition and every effect, in the transaction that made it. The service role may insert and read, nothing else.';
COMMENT ON COLUMN audit_event.canonical IS 'The event as canonical JSON; digest is its SHA-256.';
CREATE INDEX audit_event_opt_out ON audit_event (opt_out_id, seq);

GRANT USAGE ON SCHEMA public TO sever_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO sever_app;
REVOKE UPDATE, DELETE, TRUNCATE ON audit_event FROM sever_app;
REVOKE INSERT, UPDATE, DELETE ON incarnation FROM sever_app;
REVOKE INSERT, DELETE ON directory_census, broker_epoch FROM sever_app;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON refinery_schema_history FROM sever_app;

COMMENT ON COLUMN outbox.id IS 'Its id, which is the message''s.';
COMMENT ON COLUMN outbox.job_id IS 'The job that it rings; NULL for a message that is no bell.';
COMMENT ON COLUMN outbox.exchange IS 'Where it is published.';
COMMENT ON COLUMN outbox.routing_key IS 'Under which key.';
COMMENT ON COLUMN outbox.body IS 'The message.';
COMMENT ON COLUMN outbox.created_at IS 'When it was written.';
COMMENT ON COLUMN outbox.next_try_at IS 'It is not published before.';
COMMENT ON COLUMN outbox.tries IS 'How often publishing was tried and not confirmed.';
COMMENT ON COLUMN outbox.last_problem IS 'What the last try met; NULL before.';
COMMENT ON COLUMN outbox.claim_token IS 'The token of the relay that is publishing it; NULL while none is.';
COMMENT ON COLUMN outbox.claimed_until IS 'Another relay may take it from then on.';
COMMENT ON COLUMN broker_epoch.only_row IS 'Always true: the table has one row.';
COMMENT ON COLUMN broker_epoch.lost_at IS 'When that was; NULL where it never was.';
COMMENT ON COLUMN dead_letter.id IS 'Its id.';
COMMENT ON COLUMN dead_letter.job_id IS 'The job that gave up.';
COMMENT ON COLUMN dead_letter.reason IS 'Why it gave up.';
COMMENT ON COLUMN dead_letter.state IS 'Open, or what a person made of it.';
COMMENT ON COLUMN dead_letter.opened_at IS 'When the job gave up.';
COMMENT ON COLUMN dead_letter.closed_at IS 'When a person closed it; NULL while it is open.';
COMMENT ON COLUMN audit_event.seq IS 'The order of writing; gaps are transactions that were rolled back.';
COMMENT ON COLUMN audit_event.id IS 'Its id, part of the canonical bytes.';
COMMENT ON COLUMN audit_event.at IS 'When it was written.';
COMMENT ON COLUMN audit_event.actor IS 'Who did it: a token, a source, a worker or a service.';
COMMENT ON COLUMN audit_event.kind IS 'What happened.';
COMMENT ON COLUMN audit_event.subject_id IS 'Whom it is about, by pseudonym.';
COMMENT ON COLUMN audit_event.opt_out_id IS 'The opt-out that it belongs to.';
COMMENT ON COLUMN audit_event.job_id IS 'The job that it belongs to.';
COMMENT ON COLUMN audit_event.digest IS 'SHA-256 of the canonical bytes.';
