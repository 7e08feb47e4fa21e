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

COMMENT ON COLUMN hold.id IS 'Its id.';
COMMENT ON COLUMN hold.scope IS 'What kind of thing it stops.';
COMMENT ON COLUMN hold.target_id IS 'The request, opt-out or job that it stops.';
COMMENT ON COLUMN hold.reason IS 'Why.';
COMMENT ON COLUMN hold.detail IS 'Particulars without personal data.';
COMMENT ON COLUMN hold.opened_at IS 'When it was opened.';
COMMENT ON COLUMN hold.requested_by IS 'Who asked for what it stops; never its approver.';
COMMENT ON COLUMN hold.state IS 'Open, or how it was decided.';
COMMENT ON COLUMN hold.decided_by IS 'Who decided it; NULL while it is open.';
COMMENT ON COLUMN hold.decided_at IS 'When it was decided; NULL while it is open.';
COMMENT ON COLUMN hold.decision IS 'The reason of the decision, without personal data.';
COMMENT ON COLUMN guard_lock.guard IS 'The guard''s name.';
COMMENT ON COLUMN guard_lock.source IS 'Whose people are counted together.';
COMMENT ON COLUMN guard_counter.guard IS 'The guard''s name.';
COMMENT ON COLUMN guard_counter.source IS 'Whose people are counted together.';
COMMENT ON COLUMN guard_counter.bucket IS 'The minute.';
COMMENT ON COLUMN guard_counter.count IS 'People charged in that minute.';
COMMENT ON COLUMN guard_charge.guard IS 'The guard''s name.';
COMMENT ON COLUMN guard_charge.subject_id IS 'Who was charged.';
COMMENT ON COLUMN guard_charge.opt_out_id IS 'For which opt-out.';
COMMENT ON COLUMN guard_charge.weight IS 'How many people it counts as.';
COMMENT ON COLUMN guard_charge.charged_at IS 'When it was charged.';
