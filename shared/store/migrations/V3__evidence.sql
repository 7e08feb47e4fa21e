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
