-- What inventories saw, whose it is, and what differs from what should be.

-- One lower-case text as 64 bits: accounts are matched with people by these, so that no personal data is kept beside what was seen.
-- The collation is named, so that the result does not depend on the database's locale; the worker computes the same.
CREATE FUNCTION match_key(value text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN btrim(value, E' \t\r\n') = '' THEN NULL
                ELSE ('x' || encode(substr(sha256(convert_to(lower(btrim(value, E' \t\r\n') COLLATE "und-x-icu"), 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint END;
COMMENT ON FUNCTION match_key(text) IS 'The first 64 bits of the SHA-256 of a trimmed text in lower case; NULL for an empty one.';
CREATE FUNCTION match_name(given text, family text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN btrim(given, E' \t\r\n') = '' OR btrim(family, E' \t\r\n') = '' THEN NULL
                ELSE match_key(btrim(given, E' \t\r\n') || E'\n' || btrim(family, E' \t\r\n')) END;
COMMENT ON FUNCTION match_name(text, text) IS 'The match key of a full name; NULL where a part of it is missing.';
CREATE INDEX person_match_name ON person (match_name(given_name, family_name));
CREATE INDEX person_key_match ON person_key (match_key(external_id));
CREATE INDEX person_gone ON person (id) WHERE employment_state <> 'active';
CREATE INDEX binding_provider_id ON binding (connection_id, kind, provider_id);

CREATE TABLE inventory_run (
    id              uuid PRIMARY KEY,
    no              integer NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE,
    connection_id   uuid NOT NULL REFERENCES connection (id),
    kind            text NOT NULL CHECK (kind IN ('full', 'incremental')),
    state           text NOT NULL CHECK (state IN ('waiting', 'running', 'loaded', 'held', 'promoted', 'superseded', 'incomplete', 'refused', 'failed')),
    state_reason    text,
    asked_by        text NOT NULL,
    due_at          timestamptz NOT NULL DEFAULT now(),
    rung_at         timestamptz,
    started_at      timestamptz,
    loaded_at       timestamptz,
    ended_at        timestamptz,
    cursor          jsonb,
    accounts        bigint NOT NULL DEFAULT 0 CHECK (accounts >= 0),
    entitlements    bigint NOT NULL DEFAULT 0 CHECK (entitlements >= 0),
    set_aside       bigint NOT NULL DEFAULT 0 CHECK (set_aside >= 0),
    staged          boolean NOT NULL DEFAULT false,
    guard_released_by text,
    opened          bigint NOT NULL DEFAULT 0,
    seen_again      bigint NOT NULL DEFAULT 0,
    closed          bigint NOT NULL DEFAULT 0,
    failures        integer NOT NULL DEFAULT 0,
    lease_epoch     bigint NOT NULL DEFAULT 0,
    lease_token     uuid,
    lease_instance  uuid REFERENCES worker_instance (id),
    lease_until     timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CHECK ((state = 'running') = (lease_token IS NOT NULL)),
    CHECK ((state = 'running') = (lease_until IS NOT NULL))
);
COMMENT ON TABLE inventory_run IS 'One reading of a connection. Its rows are staged; when their number is that of this record they are compared, and it becomes the connection''s newest inventory.';
COMMENT ON COLUMN inventory_run.id IS 'Its id, which the bell carries.';
COMMENT ON COLUMN inventory_run.no IS 'Its number, by which observed rows name it.';
COMMENT ON COLUMN inventory_run.connection_id IS 'What is read.';
COMMENT ON COLUMN inventory_run.kind IS 'full reads everything and proves absence; incremental reads what changed and proves none.';
COMMENT ON COLUMN inventory_run.state IS 'How far it is.';
COMMENT ON COLUMN inventory_run.state_reason IS 'Why it is held, incomplete, refused or failed, or waits.';
COMMENT ON COLUMN inventory_run.asked_by IS 'Who asked for it: the schedule or a token.';
COMMENT ON COLUMN inventory_run.due_at IS 'It is not rung before.';
COMMENT ON COLUMN inventory_run.rung_at IS 'When its bell was last written.';
COMMENT ON COLUMN inventory_run.started_at IS 'When a worker first began to read.';
COMMENT ON COLUMN inventory_run.loaded_at IS 'When the last row was there.';
COMMENT ON COLUMN inventory_run.ended_at IS 'When it was promoted, or given up.';
COMMENT ON COLUMN inventory_run.cursor IS 'Where reading goes on; committed with the rows before it.';
COMMENT ON COLUMN inventory_run.accounts IS 'Account rows committed with the cursor.';
COMMENT ON COLUMN inventory_run.entitlements IS 'Entitlement rows committed with the cursor.';
COMMENT ON COLUMN inventory_run.set_aside IS 'Records that could not be read, with their reason in inventory_set_aside.';
COMMENT ON COLUMN inventory_run.staged IS 'Whether it has tables of its own.';
COMMENT ON COLUMN inventory_run.guard_released_by IS 'Who let it open more findings than the guard allows; NULL where nobody did.';
COMMENT ON COLUMN inventory_run.opened IS 'Findings that it opened.';
COMMENT ON COLUMN inventory_run.seen_again IS 'Findings that it saw again.';
COMMENT ON COLUMN inventory_run.closed IS 'Findings that its observations closed.';
COMMENT ON COLUMN inventory_run.failures IS 'Attempts in a row that failed.';
COMMENT ON COLUMN inventory_run.lease_epoch IS 'Grows with every claim.';
COMMENT ON COLUMN inventory_run.lease_token IS 'The token that every write of the worker carries; NULL while none reads.';
COMMENT ON COLUMN inventory_run.lease_instance IS 'The worker that reads or last read.';
COMMENT ON COLUMN inventory_run.lease_until IS 'Another worker may take it from then on.';
COMMENT ON COLUMN inventory_run.created_at IS 'When it was asked for.';
CREATE UNIQUE INDEX inventory_run_one_open ON inventory_run (connection_id) WHERE state IN ('waiting', 'running', 'loaded', 'held');
CREATE INDEX inventory_run_connection ON inventory_run (connection_id, no);

CREATE TABLE run_family (
    run_id          uuid NOT NULL REFERENCES inventory_run (id),
    family          text NOT NULL CHECK (family IN ('account', 'session', 'token', 'grant', 'api_token', 'role', 'group', 'app_assignment', 'licence', 'factor', 'device', 'identity_link', 'ownership', 'secret', 'hook', 'eligible_role', 'resource_role', 'permission', 'consumer', 'monitored_account', 'resource')),
    result          text NOT NULL CHECK (result IN ('complete', 'unsupported', 'forbidden', 'failed')),
    rows            bigint NOT NULL CHECK (rows >= 0),
    expected        bigint CHECK (expected >= 0),
    detail          text,
    PRIMARY KEY (run_id, family)
);
COMMENT ON TABLE run_family IS 'How well a run read each family. Only complete proves absence.';
COMMENT ON COLUMN run_family.run_id IS 'The run.';
COMMENT ON COLUMN run_family.family IS 'The family.';
COMMENT ON COLUMN run_family.result IS 'How well it was read.';
COMMENT ON COLUMN run_family.rows IS 'How many rows of it were seen.';
COMMENT ON COLUMN run_family.expected IS 'How many the provider said there are; NULL where it says nothing.';
COMMENT ON COLUMN run_family.detail IS 'Why it is not complete, without personal data.';

CREATE TABLE inventory_set_aside (
    run_id          uuid NOT NULL REFERENCES inventory_run (id),
    no              integer NOT NULL,
    family          text NOT NULL,
    digest          bytea NOT NULL CHECK (octet_length(digest) = 32),
    reason          text NOT NULL,
    PRIMARY KEY (run_id, no)
);
COMMENT ON TABLE inventory_set_aside IS 'Records of a provider that could not be read.';
COMMENT ON COLUMN inventory_set_aside.run_id IS 'The run that met it.';
COMMENT ON COLUMN inventory_set_aside.no IS 'Its place in the run.';
COMMENT ON COLUMN inventory_set_aside.family IS 'The family that it would belong to.';
COMMENT ON COLUMN inventory_set_aside.digest IS 'SHA-256 of the record.';
COMMENT ON COLUMN inventory_set_aside.reason IS 'What is wrong with it, without personal data.';

-- Rows live in one unlogged table for each run, attached as a partition. A crash of PostgreSQL empties them, and a run whose rows
-- do not match its record is refused. No index and no CHECK: they are written once, in bulk, by a typed writer, and read whole.
CREATE TABLE observed_account (
    run_no          integer NOT NULL,
    kind            text NOT NULL,
    provider_id     text NOT NULL,
    state           text NOT NULL,
    login_key       bigint,
    mail_key        bigint,
    name_key        bigint,
    number_key      bigint,
    seen_at         timestamptz NOT NULL
) PARTITION BY LIST (run_no);
COMMENT ON TABLE observed_account IS 'Accounts and applications as a run saw them.';
COMMENT ON COLUMN observed_account.run_no IS 'The run''s number.';
COMMENT ON COLUMN observed_account.kind IS 'account, or application for an integration''s object.';
COMMENT ON COLUMN observed_account.provider_id IS 'The provider''s immutable id.';
COMMENT ON COLUMN observed_account.state IS 'What it can do: live, contained or deactivated.';
COMMENT ON COLUMN observed_account.login_key IS 'The match key of the login.';
COMMENT ON COLUMN observed_account.mail_key IS 'The match key of the e-mail address.';
COMMENT ON COLUMN observed_account.name_key IS 'The match key of the full name.';
COMMENT ON COLUMN observed_account.number_key IS 'The match key of the employee number.';
COMMENT ON COLUMN observed_account.seen_at IS 'When the provider answered with it.';

CREATE TABLE observed_entitlement (
    run_no          integer NOT NULL,
    account_id      text NOT NULL,
    kind            text NOT NULL,
    provider_key    text NOT NULL,
    privileged      boolean NOT NULL,
    seen_at         timestamptz NOT NULL
) PARTITION BY LIST (run_no);
COMMENT ON TABLE observed_entitlement IS 'What hung on accounts and applications as a run saw them.';
COMMENT ON COLUMN observed_entitlement.run_no IS 'The run''s number.';
COMMENT ON COLUMN observed_entitlement.account_id IS 'The immutable id of what holds it; empty where the provider names nobody.';
COMMENT ON COLUMN observed_entitlement.kind IS 'Its family.';
COMMENT ON COLUMN observed_entitlement.provider_key IS 'The provider''s key of it.';
COMMENT ON COLUMN observed_entitlement.privileged IS 'Whether it gives administrative power.';
COMMENT ON COLUMN observed_entitlement.seen_at IS 'When the provider answered with it.';

CREATE SCHEMA inventory;
COMMENT ON SCHEMA inventory IS 'The tables of runs, made and dropped by inventory_stage and inventory_unstage only.';

-- Services may not make tables; these functions make, describe and drop exactly those of one run.
CREATE FUNCTION inventory_stage(run integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM inventory_run WHERE no = run AND state = 'running' AND NOT staged) THEN
        RAISE EXCEPTION 'run % cannot be staged', run USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    EXECUTE format('CREATE UNLOGGED TABLE inventory.account_%1$s (LIKE observed_account) WITH (autovacuum_enabled = false)', run);
    EXECUTE format('CREATE UNLOGGED TABLE inventory.entitlement_%1$s (LIKE observed_entitlement) WITH (autovacuum_enabled = false)', run);
    EXECUTE format('ALTER TABLE observed_account ATTACH PARTITION inventory.account_%1$s FOR VALUES IN (%1$s)', run);
    EXECUTE format('ALTER TABLE observed_entitlement ATTACH PARTITION inventory.entitlement_%1$s FOR VALUES IN (%1$s)', run);
    EXECUTE format('GRANT SELECT, INSERT ON inventory.account_%1$s, inventory.entitlement_%1$s TO sever_app', run);
    UPDATE inventory_run SET staged = true WHERE no = run;
END
$$;
COMMENT ON FUNCTION inventory_stage(integer) IS 'Makes the tables of a run that is being read.';

CREATE FUNCTION inventory_analyze(run integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    EXECUTE format('ANALYZE inventory.account_%1$s, inventory.entitlement_%1$s', run);
END
$$;
COMMENT ON FUNCTION inventory_analyze(integer) IS 'Tells the planner about the rows of a run.';

CREATE FUNCTION inventory_unstage(run integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM inventory_run WHERE no = run AND state IN ('running', 'loaded', 'held', 'promoted')) THEN
        RAISE EXCEPTION 'the rows of run % are in use', run USING ERRCODE = 'object_in_use';
    END IF;
    EXECUTE format('DROP TABLE IF EXISTS inventory.account_%1$s, inventory.entitlement_%1$s', run);
    UPDATE inventory_run SET staged = false WHERE no = run;
END
$$;
COMMENT ON FUNCTION inventory_unstage(integer) IS 'Drops the tables of a run that nothing refers to any more.';

REVOKE EXECUTE ON FUNCTION inventory_stage(integer), inventory_analyze(integer), inventory_unstage(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION inventory_stage(integer), inventory_analyze(integer), inventory_unstage(integer) TO sever_app;
GRANT USAGE ON SCHEMA inventory TO sever_app;

CREATE TABLE connection_inventory (
    connection_id   uuid PRIMARY KEY REFERENCES connection (id),
    run_id          uuid NOT NULL REFERENCES inventory_run (id),
    run_no          integer NOT NULL,
    promoted_at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE connection_inventory IS 'The newest promoted run of each connection; promotion changes this pointer and nothing else.';
COMMENT ON COLUMN connection_inventory.connection_id IS 'The connection.';
COMMENT ON COLUMN connection_inventory.run_id IS 'Its newest promoted run.';
COMMENT ON COLUMN connection_inventory.run_no IS 'The number of that run.';
COMMENT ON COLUMN connection_inventory.promoted_at IS 'When it was promoted.';

CREATE TABLE reconcile_setting (
    connection_id       uuid PRIMARY KEY REFERENCES connection (id),
    full_every_s        bigint NOT NULL DEFAULT 86400 CHECK (full_every_s BETWEEN 1 AND 2592000),
    findings_max        bigint NOT NULL DEFAULT 10000 CHECK (findings_max > 0),
    findings_percent    double precision NOT NULL DEFAULT 1 CHECK (findings_percent BETWEEN 0 AND 100),
    findings_min        bigint NOT NULL DEFAULT 50 CHECK (findings_min >= 0)
);
COMMENT ON TABLE reconcile_setting IS 'How a connection is reconciled; a connection without a row has the defaults.';
COMMENT ON COLUMN reconcile_setting.connection_id IS 'The connection.';
COMMENT ON COLUMN reconcile_setting.full_every_s IS 'Seconds between full inventories.';
COMMENT ON COLUMN reconcile_setting.findings_max IS 'The most findings that one run may open.';
COMMENT ON COLUMN reconcile_setting.findings_percent IS 'The most findings that one run may open, in percent of the accounts seen.';
COMMENT ON COLUMN reconcile_setting.findings_min IS 'Findings that any run may open, however few accounts there are.';

CREATE TABLE situation_policy (
    connection_id   uuid NOT NULL REFERENCES connection (id),
    situation       text NOT NULL CHECK (situation IN ('residual', 'resurrected', 'orphan_account', 'orphan_entitlement', 'ambiguous', 'integration_residue', 'unowned_token', 'missing', 'unreachable')),
    action          text NOT NULL CHECK (action IN ('report', 'repair', 'hold')),
    PRIMARY KEY (connection_id, situation)
);
COMMENT ON TABLE situation_policy IS 'What is done about a situation at a connection, where it is not the default.';
COMMENT ON COLUMN situation_policy.connection_id IS 'The connection.';
COMMENT ON COLUMN situation_policy.situation IS 'The situation.';
COMMENT ON COLUMN situation_policy.action IS 'What is done.';

CREATE TABLE correlation_rule (
    connection_id   uuid NOT NULL REFERENCES connection (id),
    ordinal         integer NOT NULL CHECK (ordinal >= 0),
    mail            boolean NOT NULL,
    name            boolean NOT NULL,
    number          boolean NOT NULL,
    PRIMARY KEY (connection_id, ordinal),
    CHECK (number OR (mail AND name))
);
COMMENT ON TABLE correlation_rule IS 'Which attributes must agree for an account without a binding to count as a person''s. A connection without a row takes any two. An e-mail alone never suffices.';
COMMENT ON COLUMN correlation_rule.connection_id IS 'The connection.';
COMMENT ON COLUMN correlation_rule.ordinal IS 'Its place in the list.';
COMMENT ON COLUMN correlation_rule.mail IS 'Whether login or e-mail must agree.';
COMMENT ON COLUMN correlation_rule.name IS 'Whether the full name must agree.';
COMMENT ON COLUMN correlation_rule.number IS 'Whether the employee number must agree.';

CREATE TABLE exception (
    id              uuid PRIMARY KEY,
    connection_id   uuid NOT NULL REFERENCES connection (id),
    provider_id     text NOT NULL CHECK (length(provider_id) BETWEEN 1 AND 256),
    kind            text NOT NULL CHECK (kind IN ('service_account', 'shared_mailbox', 'break_glass')),
    owner           text NOT NULL CHECK (owner <> ''),
    reason          text NOT NULL CHECK (reason <> ''),
    until           timestamptz NOT NULL,
    created_by      text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (connection_id, provider_id)
);
COMMENT ON TABLE exception IS 'Accounts that no person owns and that may stay, until a date.';
COMMENT ON COLUMN exception.id IS 'Its id.';
COMMENT ON COLUMN exception.connection_id IS 'Where the account is.';
COMMENT ON COLUMN exception.provider_id IS 'The account''s immutable id.';
COMMENT ON COLUMN exception.kind IS 'What kind of account it is.';
COMMENT ON COLUMN exception.owner IS 'The role that answers for it; never a person''s name.';
COMMENT ON COLUMN exception.reason IS 'Why, without personal data.';
COMMENT ON COLUMN exception.until IS 'From then on it excepts no more.';
COMMENT ON COLUMN exception.created_by IS 'Who added it.';
COMMENT ON COLUMN exception.created_at IS 'When it was added.';

CREATE TABLE finding (
    id              uuid PRIMARY KEY,
    situation       text NOT NULL CHECK (situation IN ('residual', 'resurrected', 'orphan_account', 'orphan_entitlement', 'ambiguous', 'integration_residue', 'unowned_token', 'missing', 'unreachable')),
    connection_id   uuid NOT NULL REFERENCES connection (id),
    cause_key       text NOT NULL CHECK (length(cause_key) BETWEEN 1 AND 600),
    provider_id     text,
    subject_id      uuid REFERENCES subject (id),
    privileged      boolean NOT NULL,
    state           text NOT NULL CHECK (state IN ('suspected', 'open', 'held', 'repairing', 'accepted', 'repaired', 'closed')),
    state_reason    text,
    action          text NOT NULL CHECK (action IN ('report', 'repair', 'hold')),
    evidence        jsonb NOT NULL,
    provenance      jsonb,
    returns         integer NOT NULL DEFAULT 0 CHECK (returns >= 0),
    run_id          uuid NOT NULL REFERENCES inventory_run (id),
    last_run_id     uuid NOT NULL REFERENCES inventory_run (id),
    times_seen      integer NOT NULL DEFAULT 1 CHECK (times_seen > 0),
    first_seen_at   timestamptz NOT NULL,
    last_seen_at    timestamptz NOT NULL,
    opened_at       timestamptz NOT NULL DEFAULT now(),
    confirmed_at    timestamptz,
    opt_out_id      uuid REFERENCES opt_out (id),
    accepted_until  timestamptz,
    accepted_by     text,
    accepted_why    text,
    closed_at       timestamptz,
    CHECK ((state IN ('repaired', 'closed')) = (closed_at IS NOT NULL)),
    CHECK (state <> 'accepted' OR (accepted_until IS NOT NULL AND accepted_by IS NOT NULL AND accepted_why IS NOT NULL)),
    CHECK (state <> 'repairing' OR opt_out_id IS NOT NULL)
);
COMMENT ON TABLE finding IS 'A difference between what should be and what was seen; at most one is open for each cause.';
COMMENT ON COLUMN finding.id IS 'Its id.';
COMMENT ON COLUMN finding.situation IS 'What kind of difference it is.';
COMMENT ON COLUMN finding.connection_id IS 'Where.';
COMMENT ON COLUMN finding.cause_key IS 'What it is about: the kind and the provider''s id of an account, holder or token.';
COMMENT ON COLUMN finding.provider_id IS 'The account or application that it is about; NULL where it is about none.';
COMMENT ON COLUMN finding.subject_id IS 'Whose it is, by pseudonym; NULL where nobody''s.';
COMMENT ON COLUMN finding.privileged IS 'Whether administrative power hangs on it.';
COMMENT ON COLUMN finding.state IS 'Where it is in its life; suspected ones wait for a read by id.';
COMMENT ON COLUMN finding.state_reason IS 'Why it is in that state.';
COMMENT ON COLUMN finding.action IS 'What the policy says is to be done.';
COMMENT ON COLUMN finding.evidence IS 'What was seen, without personal data.';
COMMENT ON COLUMN finding.provenance IS 'Who or what gave the access, by the provider''s own log; NULL where that is not known.';
COMMENT ON COLUMN finding.returns IS 'How often the same cause had been repaired before.';
COMMENT ON COLUMN finding.run_id IS 'The run that opened it.';
COMMENT ON COLUMN finding.last_run_id IS 'The last run that saw it, or that closed it.';
COMMENT ON COLUMN finding.times_seen IS 'How many runs saw it.';
COMMENT ON COLUMN finding.first_seen_at IS 'The time of the first observation.';
COMMENT ON COLUMN finding.last_seen_at IS 'The time of the newest observation.';
COMMENT ON COLUMN finding.opened_at IS 'When it was written.';
COMMENT ON COLUMN finding.confirmed_at IS 'When a read by id confirmed it; NULL before, and where none is needed.';
COMMENT ON COLUMN finding.opt_out_id IS 'The opt-out that repairs it; NULL where none does.';
COMMENT ON COLUMN finding.accepted_until IS 'Until when it is accepted.';
COMMENT ON COLUMN finding.accepted_by IS 'Who accepted it.';
COMMENT ON COLUMN finding.accepted_why IS 'Why it was accepted.';
COMMENT ON COLUMN finding.closed_at IS 'When it ended; NULL while it is open.';
CREATE UNIQUE INDEX finding_one_open ON finding (connection_id, situation, cause_key) WHERE closed_at IS NULL;
CREATE INDEX finding_cause ON finding (connection_id, cause_key);
CREATE INDEX finding_open_state ON finding (state, opened_at) WHERE closed_at IS NULL;
CREATE INDEX finding_subject ON finding (subject_id) WHERE subject_id IS NOT NULL;

CREATE TABLE leader (
    name            text PRIMARY KEY,
    holder          uuid NOT NULL,
    until           timestamptz NOT NULL
);
COMMENT ON TABLE leader IS 'Work that one process does at a time.';
COMMENT ON COLUMN leader.name IS 'The work.';
COMMENT ON COLUMN leader.holder IS 'The process that does it.';
COMMENT ON COLUMN leader.until IS 'Another process may take it from then on.';

GRANT SELECT, INSERT, UPDATE, DELETE ON inventory_run, run_family, inventory_set_aside, connection_inventory, reconcile_setting, situation_policy, correlation_rule, exception, finding, leader TO sever_app;
GRANT SELECT ON observed_account, observed_entitlement TO sever_app;
