-- Dead letters that people work with: what became of each, replays that ramp up, messages that nobody can read, and
-- the janitor that keeps the queues in step with the tables.

ALTER TABLE dead_letter
    DROP CONSTRAINT dead_letter_state_check,
    ADD CONSTRAINT dead_letter_state_check CHECK (state IN ('open', 'resolving', 'replayed', 'resolved', 'discarded')),
    DROP CONSTRAINT dead_letter_check,
    ADD CONSTRAINT dead_letter_standing CHECK ((state IN ('open', 'resolving')) = (closed_at IS NULL)),
    ADD COLUMN evidence text CHECK (length(evidence) <= 4000),
    ADD COLUMN resolve_asked_by text,
    ADD COLUMN resolve_asked_at timestamptz,
    ADD COLUMN resolve_reason text,
    ADD COLUMN finding text,
    ADD COLUMN discard_asked_by text,
    ADD COLUMN discard_asked_at timestamptz,
    ADD COLUMN discard_reason text,
    ADD COLUMN closed_by text,
    ADD COLUMN closed_reason text,
    ADD COLUMN seen_at timestamptz,
    ADD COLUMN left_queue_at timestamptz,
    ADD CONSTRAINT dead_letter_two_people CHECK (state <> 'discarded' OR discard_asked_by IS NULL OR closed_by <> discard_asked_by);
COMMENT ON COLUMN dead_letter.state IS 'Open; resolving while the re-read after work by hand is under way; or what became of it.';
COMMENT ON COLUMN dead_letter.evidence IS 'What shows that it was done by hand, in words or as a reference, without personal data.';
COMMENT ON COLUMN dead_letter.resolve_asked_by IS 'Who last said that it was done by hand; NULL where nobody did.';
COMMENT ON COLUMN dead_letter.resolve_asked_at IS 'When they said so.';
COMMENT ON COLUMN dead_letter.resolve_reason IS 'Why, for the record.';
COMMENT ON COLUMN dead_letter.finding IS 'What the last re-read after work by hand still saw; NULL where none has.';
COMMENT ON COLUMN dead_letter.discard_asked_by IS 'Who last asked to give it up; never the one who confirms.';
COMMENT ON COLUMN dead_letter.discard_asked_at IS 'When they asked.';
COMMENT ON COLUMN dead_letter.discard_reason IS 'Why, for the record.';
COMMENT ON COLUMN dead_letter.closed_at IS 'When it was closed; NULL while it stands.';
COMMENT ON COLUMN dead_letter.closed_by IS 'Who closed it: a token, a source or a service; NULL while it stands.';
COMMENT ON COLUMN dead_letter.closed_reason IS 'Why it was closed, for the record.';
COMMENT ON COLUMN dead_letter.seen_at IS 'When the janitor last saw its message in the queue.';
COMMENT ON COLUMN dead_letter.left_queue_at IS 'When the janitor knew that its message had left the queue; NULL while it may be there.';
UPDATE dead_letter SET closed_by = 'system:earlier-version' WHERE closed_at IS NOT NULL;
CREATE UNIQUE INDEX dead_letter_one_standing ON dead_letter (job_id) WHERE state IN ('open', 'resolving');
CREATE INDEX dead_letter_by_fingerprint ON dead_letter (fingerprint, opened_at) INCLUDE (job_id, state) WHERE state IN ('open', 'resolving');
CREATE INDEX dead_letter_leaving ON dead_letter (job_id) WHERE closed_at IS NOT NULL AND left_queue_at IS NULL;
CREATE INDEX dead_letter_job ON dead_letter (job_id, opened_at);

ALTER TABLE job ADD COLUMN resolving boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN job.resolving IS 'A person says that it was done by hand: its next epochs only read.';

CREATE TABLE replay (
    id                  uuid PRIMARY KEY,
    asked_by            text NOT NULL,
    reason              text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    selection           jsonb NOT NULL,
    state               text NOT NULL CHECK (state IN ('canary', 'ramping', 'done', 'stopped')),
    step                integer NOT NULL DEFAULT 0 CHECK (step >= 0),
    step_at             timestamptz,
    step_size_max       integer NOT NULL CHECK (step_size_max BETWEEN 1 AND 1000),
    failed_percent_max  integer NOT NULL CHECK (failed_percent_max BETWEEN 0 AND 100),
    patience_s          integer NOT NULL CHECK (patience_s BETWEEN 1 AND 86400),
    opened_at           timestamptz NOT NULL DEFAULT now(),
    closed_at           timestamptz,
    stopped_by          text,
    stopped_why         text,
    CHECK ((state IN ('canary', 'ramping')) = (closed_at IS NULL)),
    CHECK ((state = 'stopped') = (stopped_by IS NOT NULL))
);
COMMENT ON TABLE replay IS 'Dead letters that a person sends back to work: first one, then in steps that double.';
COMMENT ON COLUMN replay.id IS 'Its id.';
COMMENT ON COLUMN replay.asked_by IS 'Who ordered it.';
COMMENT ON COLUMN replay.reason IS 'Why, for the record.';
COMMENT ON COLUMN replay.selection IS 'Which dead letters were asked for; pseudonymous ids only.';
COMMENT ON COLUMN replay.state IS 'canary while the first one is out, then ramping; done, or stopped before the end.';
COMMENT ON COLUMN replay.step IS 'The present step: 1 is the canary, each later one is up to twice as large.';
COMMENT ON COLUMN replay.step_at IS 'When the present step was released.';
COMMENT ON COLUMN replay.step_size_max IS 'No step is larger.';
COMMENT ON COLUMN replay.failed_percent_max IS 'A step of which more fail stops the replay.';
COMMENT ON COLUMN replay.patience_s IS 'How long a step may take before the replay stops.';
COMMENT ON COLUMN replay.opened_at IS 'When it was ordered.';
COMMENT ON COLUMN replay.closed_at IS 'When it ended; NULL while it runs.';
COMMENT ON COLUMN replay.stopped_by IS 'Who stopped it: a token, or the dispatcher by its own rule; NULL where nobody did.';
COMMENT ON COLUMN replay.stopped_why IS 'Why it was stopped.';
CREATE INDEX replay_running ON replay (opened_at) WHERE closed_at IS NULL;

CREATE TABLE replay_member (
    replay_id           uuid NOT NULL REFERENCES replay (id),
    dead_letter_id      uuid NOT NULL REFERENCES dead_letter (id),
    job_id              uuid NOT NULL REFERENCES job (id),
    ordinal             integer NOT NULL,
    state               text NOT NULL CHECK (state IN ('queued', 'released', 'done', 'failed', 'held', 'skipped')),
    step                integer,
    released_at         timestamptz,
    ended_at            timestamptz,
    PRIMARY KEY (replay_id, dead_letter_id),
    CHECK ((state = 'queued') = (step IS NULL AND ended_at IS NULL)),
    CHECK ((state IN ('queued', 'released')) = (ended_at IS NULL))
);
COMMENT ON TABLE replay_member IS 'The dead letters of a replay, and how each of them ended.';
COMMENT ON COLUMN replay_member.replay_id IS 'The replay.';
COMMENT ON COLUMN replay_member.dead_letter_id IS 'The dead letter.';
COMMENT ON COLUMN replay_member.job_id IS 'Its job.';
COMMENT ON COLUMN replay_member.ordinal IS 'Its place; the first one is the canary.';
COMMENT ON COLUMN replay_member.state IS 'queued; released while its job is at work; done, failed, held, or skipped because it was closed otherwise or the replay stopped.';
COMMENT ON COLUMN replay_member.step IS 'The step that released it; NULL while it is queued.';
COMMENT ON COLUMN replay_member.released_at IS 'When its job was returned to work; NULL where it was not.';
COMMENT ON COLUMN replay_member.ended_at IS 'When its outcome was known; NULL before.';
CREATE UNIQUE INDEX replay_member_once ON replay_member (dead_letter_id) WHERE state = 'queued';
CREATE INDEX replay_member_next ON replay_member (replay_id, state, ordinal);

CREATE TABLE dead_raw (
    id                  uuid PRIMARY KEY,
    provider            text NOT NULL CHECK (provider IN ('okta', 'entra', 'vanta', 'scim', 'oidc', 'in')),
    digest              bytea NOT NULL CHECK (octet_length(digest) = 32),
    problem             text NOT NULL,
    body                bytea NOT NULL CHECK (octet_length(body) <= 65536),
    body_bytes          bigint NOT NULL,
    headers             jsonb NOT NULL DEFAULT '{}',
    times               bigint NOT NULL DEFAULT 1,
    state               text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'resolved', 'discarded')),
    first_at            timestamptz NOT NULL DEFAULT now(),
    seen_at             timestamptz NOT NULL DEFAULT now(),
    evidence            text CHECK (length(evidence) <= 4000),
    discard_asked_by    text,
    discard_asked_at    timestamptz,
    discard_reason      text,
    closed_at           timestamptz,
    closed_by           text,
    closed_reason       text,
    left_queue_at       timestamptz,
    UNIQUE (provider, digest),
    CHECK ((state = 'open') = (closed_at IS NULL)),
    CHECK ((state = 'open') = (closed_by IS NULL)),
    CHECK (state <> 'discarded' OR closed_by <> discard_asked_by)
);
COMMENT ON TABLE dead_raw IS 'Dead messages that no job belongs to: unreadable, or about a job that is not known. Each is kept once.';
COMMENT ON COLUMN dead_raw.id IS 'Its id.';
COMMENT ON COLUMN dead_raw.provider IS 'Whose dead-letter queue it is in; in is intake''s.';
COMMENT ON COLUMN dead_raw.digest IS 'SHA-256 of the whole body.';
COMMENT ON COLUMN dead_raw.problem IS 'Why nothing could be done with it, without personal data.';
COMMENT ON COLUMN dead_raw.body IS 'The body, cut at 64 KiB; it may hold personal data and is emptied when the message is closed.';
COMMENT ON COLUMN dead_raw.body_bytes IS 'Bytes of the whole body, before the cut.';
COMMENT ON COLUMN dead_raw.headers IS 'Content type, kind of message, first queue and reason of the dead-lettering; no other header is kept.';
COMMENT ON COLUMN dead_raw.times IS 'How often it was dead-lettered.';
COMMENT ON COLUMN dead_raw.state IS 'Open, or what a person made of it.';
COMMENT ON COLUMN dead_raw.first_at IS 'When the janitor first met it.';
COMMENT ON COLUMN dead_raw.seen_at IS 'When the janitor last saw it in the queue.';
COMMENT ON COLUMN dead_raw.evidence IS 'What shows that it was dealt with, without personal data.';
COMMENT ON COLUMN dead_raw.discard_asked_by IS 'Who last asked to give it up; never the one who confirms.';
COMMENT ON COLUMN dead_raw.discard_asked_at IS 'When they asked.';
COMMENT ON COLUMN dead_raw.discard_reason IS 'Why, for the record.';
COMMENT ON COLUMN dead_raw.closed_at IS 'When it was closed; NULL while it stands.';
COMMENT ON COLUMN dead_raw.closed_by IS 'Who closed it; NULL while it stands.';
COMMENT ON COLUMN dead_raw.closed_reason IS 'Why it was closed, for the record.';
COMMENT ON COLUMN dead_raw.left_queue_at IS 'When the janitor knew that the message had left the queue; NULL while it may be there.';
CREATE INDEX dead_raw_open ON dead_raw (provider, first_at) WHERE state = 'open';

CREATE TABLE dlq_look (
    provider            text PRIMARY KEY CHECK (provider IN ('okta', 'entra', 'vanta', 'scim', 'oidc', 'in')),
    looked_at           timestamptz NOT NULL,
    depth               bigint NOT NULL CHECK (depth >= 0),
    expected            bigint NOT NULL CHECK (expected >= 0),
    out_of_step_since   timestamptz,
    passed_at           timestamptz
);
COMMENT ON TABLE dlq_look IS 'What the janitor last saw of each dead-letter queue.';
COMMENT ON COLUMN dlq_look.provider IS 'Whose queue; in is intake''s.';
COMMENT ON COLUMN dlq_look.looked_at IS 'When it was last looked at.';
COMMENT ON COLUMN dlq_look.depth IS 'Messages in the queue then.';
COMMENT ON COLUMN dlq_look.expected IS 'Messages that belonged there by the tables then.';
COMMENT ON COLUMN dlq_look.out_of_step_since IS 'Since when the two differ without a break; NULL while they agree.';
COMMENT ON COLUMN dlq_look.passed_at IS 'When every message was last looked at.';

CREATE TABLE leader_lease (
    name                text PRIMARY KEY,
    holder              uuid NOT NULL,
    lease_until         timestamptz NOT NULL
);
COMMENT ON TABLE leader_lease IS 'Which of several processes does a work that one suffices for. An optimisation, never a proof.';
COMMENT ON COLUMN leader_lease.name IS 'The work.';
COMMENT ON COLUMN leader_lease.holder IS 'The process, by an id that it draws at its start.';
COMMENT ON COLUMN leader_lease.lease_until IS 'Another one may take it from then on.';

GRANT SELECT, INSERT, UPDATE, DELETE ON replay, replay_member, dead_raw, dlq_look, leader_lease TO sever_app;
