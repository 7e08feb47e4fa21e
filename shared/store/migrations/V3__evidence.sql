CREATE TABLE inspection (
    id              uuid PRIMARY KEY,
    job_id          uuid NOT NULL REFERENCES job (id),
    seq             integer NOT NULL CHECK (seq > 0),
    epoch           bigint NOT NULL,
    purpose         text NOT NULL CHECK (purpose IN ('contain', 'opening', 'closing')),
    started_at      timestamptz NOT NULL,
    ended_at        timestamptz NOT NULL,
    digest          bytea NOT NULL CHECK (octet_length(digest) = 32),
    UNIQUE (job_id, seq),
    CHECK (ended_at >= started_at)
);
COMMENT ON TABLE inspection IS 'One reading of a subject''s entitlements at a connection. The closing one decides.';
COMMENT ON COLUMN inspection.started_at IS 'By the database''s clock, carried by the worker''s monotonic one.';

CREATE TABLE inspection_family (
    inspection_id   uuid NOT NULL REFERENCES inspection (id),
    binding_id      uuid NOT NULL REFERENCES binding (id),
    family          text NOT NULL CHECK (family IN ('account', 'session', 'token', 'grant', 'api_token', 'role', 'group', 'app_assignment', 'licence', 'factor', 'device', 'identity_link', 'ownership', 'secret', 'hook')),
    result          text NOT NULL CHECK (result IN ('complete', 'unsupported', 'forbidden', 'failed')),
    found           integer NOT NULL CHECK (found >= 0),
    rule            text,
    detail          text,
    PRIMARY KEY (inspection_id, binding_id, family),
    CHECK (result = 'complete' OR found = 0),
    CHECK (result <> 'complete' OR rule IS NULL)
);
COMMENT ON TABLE inspection_family IS 'How well each family was read. Only complete, or unsupported under a rule, proves absence.';

CREATE TABLE entitlement (
    inspection_id   uuid NOT NULL REFERENCES inspection (id),
    ordinal         integer NOT NULL CHECK (ordinal >= 0),
    binding_id      uuid NOT NULL REFERENCES binding (id),
    kind            text NOT NULL CHECK (kind IN ('account', 'session', 'token', 'grant', 'api_token', 'role', 'group', 'app_assignment', 'licence', 'factor', 'device', 'identity_link', 'ownership', 'secret', 'hook')),
    provider_key    text NOT NULL CHECK (length(provider_key) BETWEEN 1 AND 512),
    privileged      boolean NOT NULL,
    facts           jsonb NOT NULL,
    PRIMARY KEY (inspection_id, ordinal)
);
COMMENT ON TABLE entitlement IS 'What an inspection found: evidence, and the pre-image of a restore. Facts are an allow-list, never a secret.';

CREATE TABLE plan (
    job_id          uuid NOT NULL REFERENCES job (id),
    revision        integer NOT NULL CHECK (revision >= 0),
    inspection_id   uuid NOT NULL REFERENCES inspection (id),
    epoch           bigint NOT NULL,
    digest          bytea NOT NULL CHECK (octet_length(digest) = 32),
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_id, revision)
);
COMMENT ON TABLE plan IS 'A graph of steps, stored before any of them runs. Revision 0 contains.';

CREATE TABLE step (
    id              uuid PRIMARY KEY,
    job_id          uuid NOT NULL,
    revision        integer NOT NULL,
    ordinal         integer NOT NULL CHECK (ordinal >= 0),
    binding_id      uuid NOT NULL REFERENCES binding (id),
    action          text NOT NULL CHECK (action IN ('suspend_account', 'revoke_sessions', 'revoke_tokens', 'revoke_grants', 'revoke_api_token', 'revoke_role', 'remove_from_group', 'unassign_app', 'remove_factor', 'deactivate_device', 'delete_device', 'unlink_identity', 'remove_ownership', 'deactivate_account', 'leave')),
    class           text NOT NULL CHECK (class IN ('contain', 'cut_sessions', 'revoke', 'final')),
    target_kind     text NOT NULL CHECK (target_kind IN ('account', 'session', 'token', 'grant', 'api_token', 'role', 'group', 'app_assignment', 'licence', 'factor', 'device', 'identity_link', 'ownership', 'secret', 'hook')),
    target_key      text NOT NULL CHECK (length(target_key) BETWEEN 1 AND 512),
    privileged      boolean NOT NULL,
    reversibility   text NOT NULL CHECK (reversibility IN ('reversible', 'restorable_until', 'one_way')),
    declared_grade  text NOT NULL CHECK (declared_grade IN ('attested', 'implied', 'provider_log', 'agreeing_reads', 'read')),
    rule            text,
    facts           jsonb NOT NULL,
    state           text NOT NULL CHECK (state IN ('planned', 'applying', 'unknown', 'applied', 'verified', 'inert', 'blocked', 'attested')),
    state_reason    text,
    failing_since   timestamptz,
    residual_s      bigint CHECK (residual_s >= 0),
    residual_until  timestamptz,
    fence_until     timestamptz,
    verified_grade  text CHECK (verified_grade IN ('attested', 'implied', 'provider_log', 'agreeing_reads', 'read')),
    verified_at     timestamptz,
    UNIQUE (job_id, revision, binding_id, action, target_kind, target_key),
    UNIQUE (job_id, revision, ordinal),
    FOREIGN KEY (job_id, revision) REFERENCES plan (job_id, revision),
    CHECK (state <> 'blocked' OR state_reason IS NOT NULL),
    CHECK (state NOT IN ('verified', 'attested') OR (verified_grade IS NOT NULL AND verified_at IS NOT NULL)),
    CHECK (declared_grade <> 'implied' OR rule IS NOT NULL)
) WITH (fillfactor = 70);
COMMENT ON TABLE step IS 'One idempotent effect of a job on one entitlement.';
COMMENT ON COLUMN step.residual_until IS 'What the step ended can still work until then.';

CREATE TABLE step_need (
    step_id         uuid NOT NULL REFERENCES step (id),
    needs_step_id   uuid NOT NULL REFERENCES step (id),
    PRIMARY KEY (step_id, needs_step_id),
    CHECK (step_id <> needs_step_id)
);
COMMENT ON TABLE step_need IS 'The edges of a plan''s graph.';

CREATE TABLE effect (
    step_id             uuid NOT NULL REFERENCES step (id),
    no                  integer NOT NULL CHECK (no > 0),
    attempt             integer NOT NULL CHECK (attempt > 0),
    epoch               bigint NOT NULL,
    intent_at           timestamptz NOT NULL DEFAULT now(),
    answered_at         timestamptz,
    status              integer,
    outcome             text CHECK (outcome IN ('done', 'already_gone', 'not_applied', 'lost', 'refused')),
    code                text,
    provider_request_id text,
    PRIMARY KEY (step_id, no)
) WITH (fillfactor = 80);
COMMENT ON TABLE effect IS 'One intended call of a step, written before the call; an empty outcome is an unanswered one.';

CREATE TABLE verification (
    step_id         uuid NOT NULL REFERENCES step (id),
    no              integer NOT NULL CHECK (no > 0),
    inspection_id   uuid NOT NULL REFERENCES inspection (id),
    grade           text NOT NULL CHECK (grade IN ('attested', 'implied', 'provider_log', 'agreeing_reads', 'read')),
    rule            text,
    verdict         text NOT NULL CHECK (verdict IN ('gone', 'there', 'inert', 'unread')),
    at              timestamptz NOT NULL,
    digest          bytea NOT NULL CHECK (octet_length(digest) = 32),
    PRIMARY KEY (step_id, no),
    CHECK (grade <> 'implied' OR rule IS NOT NULL)
);
COMMENT ON TABLE verification IS 'What a re-read said of a step, with the digest of the inspection it came from.';

COMMENT ON COLUMN inspection.id IS 'Its id.';
COMMENT ON COLUMN inspection.job_id IS 'The job that read.';
COMMENT ON COLUMN inspection.seq IS '1, 2, 3 within its job.';
COMMENT ON COLUMN inspection.epoch IS 'The lease epoch in which it was stored.';
COMMENT ON COLUMN inspection.purpose IS 'What it was read for.';
COMMENT ON COLUMN inspection.ended_at IS 'When its last answer came, by the same clock as started_at.';
COMMENT ON COLUMN inspection.digest IS 'SHA-256 of what was read, in canonical form.';
COMMENT ON COLUMN inspection_family.inspection_id IS 'The reading.';
COMMENT ON COLUMN inspection_family.binding_id IS 'The account that was read.';
COMMENT ON COLUMN inspection_family.family IS 'The kind of entitlement.';
COMMENT ON COLUMN inspection_family.result IS 'How well it could be read.';
COMMENT ON COLUMN inspection_family.found IS 'How many were found.';
COMMENT ON COLUMN inspection_family.rule IS 'The named rule that covers a family that cannot be read.';
COMMENT ON COLUMN inspection_family.detail IS 'A code of why it is not complete.';
COMMENT ON COLUMN entitlement.inspection_id IS 'The reading that found it.';
COMMENT ON COLUMN entitlement.ordinal IS 'Its place in the reading, from 0.';
COMMENT ON COLUMN entitlement.binding_id IS 'The account that has it.';
COMMENT ON COLUMN entitlement.kind IS 'The kind of entitlement.';
COMMENT ON COLUMN entitlement.provider_key IS 'The provider''s key of it.';
COMMENT ON COLUMN entitlement.privileged IS 'Whether it gives administrative rights.';
COMMENT ON COLUMN entitlement.facts IS 'What an observer may keep of it.';
COMMENT ON COLUMN plan.job_id IS 'The job that it is for.';
COMMENT ON COLUMN plan.revision IS '0 contains; every later one comes from a reading.';
COMMENT ON COLUMN plan.inspection_id IS 'The reading that it was made from.';
COMMENT ON COLUMN plan.epoch IS 'The lease epoch in which it was stored.';
COMMENT ON COLUMN plan.digest IS 'SHA-256 of its steps, in canonical form.';
COMMENT ON COLUMN plan.created_at IS 'When it was stored.';
COMMENT ON COLUMN step.id IS 'Its id.';
COMMENT ON COLUMN step.job_id IS 'The job of its plan.';
COMMENT ON COLUMN step.revision IS 'The revision of its plan.';
COMMENT ON COLUMN step.ordinal IS 'Its place in the plan, from 0.';
COMMENT ON COLUMN step.binding_id IS 'The account that it acts for.';
COMMENT ON COLUMN step.action IS 'What it does.';
COMMENT ON COLUMN step.class IS 'What kind of effect it is; a hold''s policy allows some classes.';
COMMENT ON COLUMN step.target_kind IS 'The kind of entitlement that it ends.';
COMMENT ON COLUMN step.target_key IS 'The provider''s key of what it ends.';
COMMENT ON COLUMN step.privileged IS 'Whether what it ends gives administrative rights.';
COMMENT ON COLUMN step.reversibility IS 'Whether it can be undone.';
COMMENT ON COLUMN step.declared_grade IS 'The best proof that this action can have.';
COMMENT ON COLUMN step.rule IS 'The named rule of an implied proof.';
COMMENT ON COLUMN step.facts IS 'What the call needs beside the key; never a secret.';
COMMENT ON COLUMN step.state IS 'Its place in the state machine of steps.';
COMMENT ON COLUMN step.state_reason IS 'Why it is in this state, where that needs a word.';
COMMENT ON COLUMN step.failing_since IS 'When its present run of failures began; NULL where it does not fail.';
COMMENT ON COLUMN step.residual_s IS 'Seconds for which what it ended can go on working; NULL for none.';
COMMENT ON COLUMN step.fence_until IS 'An unanswered call can still be under way until then; NULL for none.';
COMMENT ON COLUMN step.verified_grade IS 'The grade of its proof; NULL before.';
COMMENT ON COLUMN step.verified_at IS 'When it was proven; NULL before.';
COMMENT ON COLUMN step_need.step_id IS 'The step that waits.';
COMMENT ON COLUMN step_need.needs_step_id IS 'The step that it waits for.';
COMMENT ON COLUMN effect.step_id IS 'The step that it is for.';
COMMENT ON COLUMN effect.no IS '1, 2, 3 within its step.';
COMMENT ON COLUMN effect.attempt IS 'The attempt of the job in which it was intended.';
COMMENT ON COLUMN effect.epoch IS 'The lease epoch in which it was intended.';
COMMENT ON COLUMN effect.intent_at IS 'When it was written down, before the call.';
COMMENT ON COLUMN effect.answered_at IS 'When the answer came; NULL while there is none.';
COMMENT ON COLUMN effect.status IS 'The HTTP status of the answer; NULL where there was none.';
COMMENT ON COLUMN effect.outcome IS 'What the answer means for the step.';
COMMENT ON COLUMN effect.code IS 'The provider''s error code.';
COMMENT ON COLUMN effect.provider_request_id IS 'The provider''s own id of the call.';
COMMENT ON COLUMN verification.step_id IS 'The step that it judges.';
COMMENT ON COLUMN verification.no IS '1, 2, 3 within its step.';
COMMENT ON COLUMN verification.inspection_id IS 'The reading that it rests on.';
COMMENT ON COLUMN verification.grade IS 'How strong it is.';
COMMENT ON COLUMN verification.rule IS 'The named rule of an implied proof.';
COMMENT ON COLUMN verification.verdict IS 'What the reading showed of the step''s target.';
COMMENT ON COLUMN verification.at IS 'When it was judged.';
COMMENT ON COLUMN verification.digest IS 'The digest of the reading.';
