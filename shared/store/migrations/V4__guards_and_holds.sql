CREATE TABLE hold (
    id              uuid PRIMARY KEY,
    scope           text NOT NULL CHECK (scope IN ('request', 'opt_out', 'job')),
    target_id       uuid NOT NULL,
    reason          text NOT NULL CHECK (reason IN ('mass_guard', 'protected', 'ambiguous_identity', 'unbound', 'newer_employment_event', 'effective_too_old', 'own_credential', 'blocked', 'still_live')),
    policy          text NOT NULL CHECK (policy IN ('nothing', 'cut_sessions', 'contain')),
    detail          jsonb NOT NULL DEFAULT '{}',
    opened_at       timestamptz NOT NULL DEFAULT now(),
    requested_by    text NOT NULL,
    state           text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'released', 'rejected')),
    decided_by      text,
    decided_at      timestamptz,
    decision        text,
    CHECK (decided_by IS NULL OR decided_by <> requested_by),
    CHECK ((state = 'open') = (decided_by IS NULL)),
    CHECK ((state = 'open') = (decided_at IS NULL))
);
COMMENT ON TABLE hold IS 'A stop that only a person lifts, and never the one who asked.';
COMMENT ON COLUMN hold.policy IS 'What may go on while it stands.';
CREATE UNIQUE INDEX hold_one_open ON hold (scope, target_id, reason) WHERE state = 'open';
CREATE INDEX hold_target ON hold (target_id);

CREATE TABLE guard_lock (
    guard           text NOT NULL,
    source          text NOT NULL,
    PRIMARY KEY (guard, source)
);
COMMENT ON TABLE guard_lock IS 'The row that an intent locks before it charges a guard; locked in name order, before anything else.';

CREATE TABLE guard_counter (
    guard           text NOT NULL,
    source          text NOT NULL,
    bucket          timestamptz NOT NULL,
    count           bigint NOT NULL CHECK (count >= 0),
    PRIMARY KEY (guard, source, bucket)
);
COMMENT ON TABLE guard_counter IS 'People charged, by minute.';

CREATE TABLE guard_charge (
    guard           text NOT NULL,
    subject_id      uuid NOT NULL REFERENCES subject (id),
    opt_out_id      uuid NOT NULL REFERENCES opt_out (id),
    weight          bigint NOT NULL CHECK (weight > 0),
    released_by     uuid REFERENCES hold (id),
    charged_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (guard, subject_id, opt_out_id)
);
COMMENT ON TABLE guard_charge IS 'Each subject is charged once for each guard and opt-out.';
COMMENT ON COLUMN guard_charge.released_by IS 'The released hold that let it pass without counting.';
