-- What changed is read between the full inventories and becomes part of the newest one; what no list shows is read of some accounts.

ALTER TABLE inventory_run
    ADD COLUMN mark jsonb,
    ADD COLUMN unlisted text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN inventory_run.mark IS 'From where the provider tells what changed since: taken before a full run began, or behind what an incremental one read; NULL where it tells none.';
COMMENT ON COLUMN inventory_run.unlisted IS 'Families that no list of the provider shows: known of the accounts in subject_reading only.';
COMMENT ON COLUMN inventory_run.kind IS 'full reads everything and proves absence; incremental reads the accounts that the provider names as changed, one by one, and speaks of these only.';

ALTER TABLE connection_inventory ADD COLUMN mark jsonb;
COMMENT ON TABLE connection_inventory IS 'The newest promoted full run of each connection, into which incremental ones are merged; promotion changes this pointer and nothing else.';
COMMENT ON COLUMN connection_inventory.mark IS 'From where the next incremental run asks what changed; NULL where only reading everything tells.';

ALTER TABLE reconcile_setting ADD COLUMN sample integer NOT NULL DEFAULT 100 CHECK (sample BETWEEN 0 AND 10000);
COMMENT ON COLUMN reconcile_setting.sample IS 'Accounts that a full inventory reads one by one: of opted-out subjects, privileged ones and all others alike, whoever was not read for longest first.';

-- Only Entra tells what changed; elsewhere an incremental run could only read everything.
UPDATE reconcile_setting SET incremental_every_s = NULL
FROM connection WHERE connection.id = reconcile_setting.connection_id AND connection.provider <> 'entra';

CREATE TABLE run_subject (
    run_id          uuid NOT NULL REFERENCES inventory_run (id),
    provider_id     text NOT NULL,
    families        text[] NOT NULL,
    PRIMARY KEY (run_id, provider_id)
);
COMMENT ON TABLE run_subject IS 'Accounts that an incremental run read one by one; gone once it is merged or given up.';
COMMENT ON COLUMN run_subject.run_id IS 'The run.';
COMMENT ON COLUMN run_subject.provider_id IS 'The account''s immutable id.';
COMMENT ON COLUMN run_subject.families IS 'The families of it that were read whole; of the others nothing new is known.';

CREATE TABLE subject_reading (
    connection_id   uuid NOT NULL REFERENCES connection (id),
    provider_id     text NOT NULL,
    family          text NOT NULL CHECK (family IN ('account', 'session', 'token', 'grant', 'api_token', 'role', 'group', 'app_assignment', 'licence', 'factor', 'device', 'identity_link', 'ownership', 'secret', 'hook', 'eligible_role', 'resource_role', 'permission', 'consumer', 'monitored_account', 'resource')),
    read_at         timestamptz NOT NULL,
    held            text[] NOT NULL,
    privileged      text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (connection_id, provider_id, family)
);
COMMENT ON TABLE subject_reading IS 'What no list shows, as it was last read of single accounts. It is shown with its age, and compared with nothing.';
COMMENT ON COLUMN subject_reading.connection_id IS 'Where the account is.';
COMMENT ON COLUMN subject_reading.provider_id IS 'The account''s immutable id.';
COMMENT ON COLUMN subject_reading.family IS 'The family, which was read whole.';
COMMENT ON COLUMN subject_reading.read_at IS 'When the provider answered.';
COMMENT ON COLUMN subject_reading.held IS 'The provider''s keys of what the account has of it; never a secret.';
COMMENT ON COLUMN subject_reading.privileged IS 'Those of them that give administrative power.';

-- What an incremental run saw takes the place of what its connection's newest inventory had of the same accounts: of each account the
-- families that were read whole, where nothing newer is known. The two indexes are made with the first merge, so that no later one
-- reads more than what it changes, and an inventory into which nothing is merged is never indexed.
CREATE FUNCTION inventory_merge(base integer, run integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    merged uuid := (SELECT r.id FROM inventory_run AS r JOIN connection_inventory AS pointer ON pointer.connection_id = r.connection_id
                    WHERE r.no = run AND r.kind = 'incremental' AND r.state = 'loaded' AND pointer.run_no = base);
BEGIN
    IF merged IS NULL THEN
        RAISE EXCEPTION 'run % cannot be merged into run %', run, base USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF to_regclass(format('inventory.account_%s_provider_id', base)) IS NULL THEN
        EXECUTE format('CREATE INDEX account_%1$s_provider_id ON inventory.account_%1$s (provider_id)', base);
        EXECUTE format('CREATE INDEX entitlement_%1$s_account_id ON inventory.entitlement_%1$s (account_id)', base);
    END IF;
    EXECUTE format($merge$
        WITH subject AS MATERIALIZED (
            SELECT a.*, s.families FROM inventory.account_%2$s AS a JOIN run_subject AS s ON s.run_id = %3$L AND s.provider_id = a.provider_id
            WHERE NOT EXISTS (SELECT FROM inventory.account_%1$s AS known
                              WHERE known.provider_id = a.provider_id AND (known.kind <> a.kind OR known.seen_at > a.seen_at))
        ), part AS MATERIALIZED (
            SELECT subject.provider_id, family FROM subject, unnest(subject.families) AS family
            WHERE NOT EXISTS (SELECT FROM inventory.entitlement_%1$s AS known
                              WHERE known.account_id = subject.provider_id AND known.kind = family AND known.seen_at > subject.seen_at)
        ), old_account AS (
            DELETE FROM inventory.account_%1$s AS known USING subject WHERE known.provider_id = subject.provider_id RETURNING 1
        ), new_account AS (
            INSERT INTO inventory.account_%1$s (run_no, kind, provider_id, state, login_key, mail_key, name_key, number_key, seen_at)
            SELECT %1$s, kind, provider_id, state, login_key, mail_key, name_key, number_key, seen_at FROM subject WHERE state <> 'absent' RETURNING 1
        ), old_entitlement AS (
            DELETE FROM inventory.entitlement_%1$s AS known USING part
            WHERE known.account_id = part.provider_id AND known.kind = part.family RETURNING 1
        ), new_entitlement AS (
            INSERT INTO inventory.entitlement_%1$s (run_no, account_id, kind, provider_key, privileged, seen_at)
            SELECT %1$s, e.account_id, e.kind, e.provider_key, e.privileged, e.seen_at
            FROM inventory.entitlement_%2$s AS e JOIN part ON part.provider_id = e.account_id AND part.family = e.kind RETURNING 1
        )
        UPDATE inventory_run SET accounts = accounts - (SELECT count(*) FROM old_account) + (SELECT count(*) FROM new_account),
               entitlements = entitlements - (SELECT count(*) FROM old_entitlement) + (SELECT count(*) FROM new_entitlement)
        WHERE no = %1$s
    $merge$, base, run, merged);
END
$$;
COMMENT ON FUNCTION inventory_merge(integer, integer) IS 'Puts what an incremental run saw into the newest inventory of its connection.';
REVOKE EXECUTE ON FUNCTION inventory_merge(integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION inventory_merge(integer, integer) TO sever_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON run_subject, subject_reading TO sever_app;
