-- What the processes of a worker share about a connection: its breaker, its rate budget, and its cap of leases.

CREATE TABLE breaker (
    connection_id   uuid PRIMARY KEY REFERENCES connection (id),
    opened_at       timestamptz,
    retry_at        timestamptz,
    openings        integer NOT NULL DEFAULT 0 CHECK (openings >= 0),
    failures_in_row bigint NOT NULL DEFAULT 0 CHECK (failures_in_row >= 0),
    window_at       timestamptz,
    window_calls    bigint NOT NULL DEFAULT 0 CHECK (window_calls >= 0),
    window_failures bigint NOT NULL DEFAULT 0 CHECK (window_failures BETWEEN 0 AND window_calls),
    proven          bigint NOT NULL DEFAULT 0 CHECK (proven >= 0),
    open_total_s    double precision NOT NULL DEFAULT 0 CHECK (open_total_s >= 0),
    CHECK ((opened_at IS NULL) = (retry_at IS NULL))
) WITH (fillfactor = 70);
COMMENT ON TABLE breaker IS 'The circuit breaker of a connection; without a row it is closed and has never heard of a failure. Written at most once a second by each process, and only while calls fail or it is not closed.';
COMMENT ON COLUMN breaker.connection_id IS 'The connection.';
COMMENT ON COLUMN breaker.opened_at IS 'Since when it is not closed; NULL while it is.';
COMMENT ON COLUMN breaker.retry_at IS 'Until when it is open, and half-open from then on; NULL while it is closed.';
COMMENT ON COLUMN breaker.openings IS 'How often it opened since it was last closed.';
COMMENT ON COLUMN breaker.failures_in_row IS 'Calls without an answer since the last one with.';
COMMENT ON COLUMN breaker.window_at IS 'When the window began in which calls are counted.';
COMMENT ON COLUMN breaker.window_calls IS 'Calls in the window.';
COMMENT ON COLUMN breaker.window_failures IS 'Those of them without an answer.';
COMMENT ON COLUMN breaker.proven IS 'Answers since it became half-open.';
COMMENT ON COLUMN breaker.open_total_s IS 'How long it was not closed, all in all, up to opened_at; no time of failing for a job.';

-- Lost at a crash of the database, and filled again by the next answers' headers: it is no truth, and needs no log.
CREATE UNLOGGED TABLE rate_bucket (
    connection_id   uuid NOT NULL,
    bucket          text NOT NULL CHECK (length(bucket) BETWEEN 1 AND 64),
    refill          bigint NOT NULL DEFAULT 0 CHECK (refill >= 0),
    tokens          bigint NOT NULL DEFAULT 0 CHECK (tokens BETWEEN 0 AND refill),
    reset_at        timestamptz,
    refused_until   timestamptz,
    PRIMARY KEY (connection_id, bucket)
) WITH (fillfactor = 50);
COMMENT ON TABLE rate_bucket IS 'The calls that a connection''s provider still takes in an endpoint''s window, of which processes lease blocks.';
COMMENT ON COLUMN rate_bucket.connection_id IS 'The connection.';
COMMENT ON COLUMN rate_bucket.bucket IS 'The endpoint bucket that the provider counts in.';
COMMENT ON COLUMN rate_bucket.refill IS 'Calls in one window; 0 where none is known.';
COMMENT ON COLUMN rate_bucket.tokens IS 'Calls of this window that no process has leased.';
COMMENT ON COLUMN rate_bucket.reset_at IS 'When the window ends.';
COMMENT ON COLUMN rate_bucket.refused_until IS 'The provider wants no call of this bucket until then.';

ALTER TABLE job ADD COLUMN failing_open_s double precision NOT NULL DEFAULT 0;
COMMENT ON COLUMN job.failing_open_s IS 'How long the breaker had been not closed, all in all, when the job began to fail.';

ALTER TABLE worker_instance ADD COLUMN slots integer NOT NULL DEFAULT 1024 CHECK (slots > 0);
COMMENT ON COLUMN worker_instance.slots IS 'Leases that it can hold at once. Where those of all processes fit a connection''s jobs_max, no claim needs a lock to keep to it.';

ALTER TABLE hold DROP CONSTRAINT hold_reason_check,
    ADD CONSTRAINT hold_reason_check CHECK (reason IN ('mass_guard', 'protected', 'ambiguous_identity', 'unbound', 'newer_employment_event', 'effective_too_old', 'own_credential', 'blocked', 'still_live', 'last_sign_in_path', 'fence', 'connection_closed'));

GRANT SELECT, INSERT, UPDATE, DELETE ON breaker, rate_bucket TO sever_app;
