-- How often a connection is read, for whom it is the directory, who may stay until when, and who put access back.

ALTER TABLE reconcile_setting
    ADD COLUMN incremental_every_s bigint CHECK (incremental_every_s BETWEEN 1 AND 2592000),
    ADD COLUMN directory_of uuid REFERENCES source (id),
    ADD COLUMN credential_expires_at timestamptz;
COMMENT ON COLUMN reconcile_setting.credential_expires_at IS 'When the connection''s credential runs out, as whoever made it says; NULL where it does not.';
COMMENT ON COLUMN reconcile_setting.incremental_every_s IS 'Seconds between incremental inventories; NULL for none.';
COMMENT ON COLUMN reconcile_setting.directory_of IS 'The source whose people this connection is the directory of; NULL where it is none''s.';

-- An exception ends by its date or by a person, and its row stays for the record.
ALTER TABLE exception
    ADD COLUMN ended_at timestamptz,
    ADD COLUMN ended_by text,
    ADD CONSTRAINT exception_ended_check CHECK ((ended_at IS NULL) = (ended_by IS NULL)),
    DROP CONSTRAINT exception_connection_id_provider_id_key;
CREATE UNIQUE INDEX exception_one_open ON exception (connection_id, provider_id) WHERE ended_at IS NULL;
COMMENT ON COLUMN exception.ended_at IS 'When a person ended it before its date; NULL where nobody did.';
COMMENT ON COLUMN exception.ended_by IS 'Who ended it.';

ALTER TABLE finding
    ADD COLUMN provenance_asks integer NOT NULL DEFAULT 0 CHECK (provenance_asks >= 0),
    ADD COLUMN provenance_asked_at timestamptz,
    DROP CONSTRAINT finding_situation_check,
    ADD CONSTRAINT finding_situation_check CHECK (situation IN ('residual', 'resurrected', 'orphan_account', 'orphan_entitlement', 'ambiguous', 'integration_residue', 'unowned_token', 'missing', 'gone_at_source', 'unreachable'));
COMMENT ON COLUMN finding.provenance_asks IS 'How often the provider''s log was asked who gave the access.';
COMMENT ON COLUMN finding.provenance_asked_at IS 'When it was last asked; NULL before.';
CREATE INDEX finding_repaired ON finding (connection_id, cause_key) WHERE state = 'repaired';

ALTER TABLE situation_policy
    DROP CONSTRAINT situation_policy_situation_check,
    ADD CONSTRAINT situation_policy_situation_check CHECK (situation IN ('residual', 'resurrected', 'orphan_account', 'orphan_entitlement', 'ambiguous', 'integration_residue', 'unowned_token', 'missing', 'gone_at_source', 'unreachable'));
