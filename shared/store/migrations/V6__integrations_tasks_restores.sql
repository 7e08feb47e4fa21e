-- Integrations as subjects, manual tasks, plans that are only foretold, and restores.

ALTER TABLE binding DROP CONSTRAINT binding_kind_check, ADD CONSTRAINT binding_kind_check CHECK (kind IN ('account', 'application'));

CREATE TABLE integration (
    id              uuid PRIMARY KEY REFERENCES subject (id),
    name            text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    vendor          text NOT NULL DEFAULT '',
    owner           text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE integration IS 'A third-party application that was let into the organisation.';
COMMENT ON COLUMN integration.id IS 'The subject that the integration is.';
COMMENT ON COLUMN integration.name IS 'The name by which people and configuration refer to it.';
COMMENT ON COLUMN integration.vendor IS 'Who makes it.';
COMMENT ON COLUMN integration.owner IS 'The role in the organisation that answers for it; never a person''s name.';
COMMENT ON COLUMN integration.created_at IS 'When it was first applied.';
COMMENT ON COLUMN integration.updated_at IS 'When it was last applied.';

ALTER TABLE inspection_family DROP CONSTRAINT inspection_family_family_check,
    ADD CONSTRAINT inspection_family_family_check CHECK (family IN ('account', 'session', 'token', 'grant', 'api_token', 'role', 'group', 'app_assignment', 'licence', 'factor', 'device', 'identity_link', 'ownership', 'secret', 'hook', 'eligible_role', 'resource_role', 'permission', 'consumer', 'monitored_account', 'resource'));
ALTER TABLE entitlement DROP CONSTRAINT entitlement_kind_check,
    ADD CONSTRAINT entitlement_kind_check CHECK (kind IN ('account', 'session', 'token', 'grant', 'api_token', 'role', 'group', 'app_assignment', 'licence', 'factor', 'device', 'identity_link', 'ownership', 'secret', 'hook', 'eligible_role', 'resource_role', 'permission', 'consumer', 'monitored_account', 'resource'));
ALTER TABLE step DROP CONSTRAINT step_action_check,
    ADD CONSTRAINT step_action_check CHECK (action IN ('suspend_account', 'revoke_sessions', 'revoke_tokens', 'revoke_grants', 'revoke_api_token', 'revoke_role', 'remove_from_group', 'unassign_app', 'remove_factor', 'deactivate_device', 'delete_device', 'unlink_identity', 'remove_ownership', 'deactivate_account', 'delete_account', 'disable_integration', 'revoke_licence', 'revoke_eligible_role', 'revoke_resource_role', 'revoke_permission', 'remove_secret', 'remove_hook', 'remove_consumer', 'offboard_person', 'delete_resource', 'reinstate_account', 'enable_integration', 'add_to_group', 'assign_app', 'grant_role', 'grant_eligible_role', 'grant_resource_role', 'assign_licence', 'add_ownership', 'restore_grants', 'grant_permission', 'add_consumer', 'activate_device', 'leave'));
ALTER TABLE step DROP CONSTRAINT step_target_kind_check,
    ADD CONSTRAINT step_target_kind_check CHECK (target_kind IN ('account', 'session', 'token', 'grant', 'api_token', 'role', 'group', 'app_assignment', 'licence', 'factor', 'device', 'identity_link', 'ownership', 'secret', 'hook', 'eligible_role', 'resource_role', 'permission', 'consumer', 'monitored_account', 'resource'));
ALTER TABLE step DROP CONSTRAINT step_state_check,
    ADD CONSTRAINT step_state_check CHECK (state IN ('planned', 'applying', 'unknown', 'applied', 'verified', 'inert', 'blocked', 'asked', 'asserted', 'attested'));

CREATE TABLE task (
    step_id             uuid PRIMARY KEY REFERENCES step (id),
    asked_of            text NOT NULL CHECK (length(asked_of) BETWEEN 1 AND 256),
    what                text NOT NULL CHECK (length(what) BETWEEN 1 AND 4000),
    link                text CHECK (length(link) <= 2000),
    evidence_required   text NOT NULL CHECK (length(evidence_required) BETWEEN 1 AND 1000),
    asked_at            timestamptz NOT NULL DEFAULT now(),
    due_at              timestamptz NOT NULL,
    evidence            text CHECK (length(evidence) <= 4000),
    evidence_digest     bytea CHECK (octet_length(evidence_digest) = 32),
    evidence_reference  text CHECK (length(evidence_reference) <= 2000),
    done_by             text,
    done_at             timestamptz,
    confirmed_by        text,
    confirmed_at        timestamptz,
    refused_by          text,
    refused_why         text,
    CHECK (confirmed_by IS NULL OR confirmed_by <> done_by),
    CHECK ((done_by IS NULL) = (done_at IS NULL)),
    CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL)),
    CHECK (confirmed_by IS NULL OR done_by IS NOT NULL),
    CHECK (done_by IS NULL OR coalesce(evidence, evidence_reference) IS NOT NULL OR evidence_digest IS NOT NULL)
);
COMMENT ON TABLE task IS 'What a person is asked to do where the provider has no call. Its state is its step''s.';
COMMENT ON COLUMN task.step_id IS 'The manual step.';
COMMENT ON COLUMN task.asked_of IS 'Who is asked: a role of the organisation, never a person''s name.';
COMMENT ON COLUMN task.what IS 'What to do, in plain words, without personal data.';
COMMENT ON COLUMN task.link IS 'Where to do it.';
COMMENT ON COLUMN task.evidence_required IS 'What shows that it was done.';
COMMENT ON COLUMN task.asked_at IS 'When the plan asked.';
COMMENT ON COLUMN task.due_at IS 'It is overdue from then on.';
COMMENT ON COLUMN task.evidence IS 'What the person who did it says, without personal data.';
COMMENT ON COLUMN task.evidence_digest IS 'SHA-256 of a file that shows it; the file is kept elsewhere.';
COMMENT ON COLUMN task.evidence_reference IS 'Where the evidence is kept.';
COMMENT ON COLUMN task.done_by IS 'Who says that it is done.';
COMMENT ON COLUMN task.done_at IS 'When they said so.';
COMMENT ON COLUMN task.confirmed_by IS 'The second person who confirmed it.';
COMMENT ON COLUMN task.confirmed_at IS 'When it was confirmed.';
COMMENT ON COLUMN task.refused_by IS 'Who last did not confirm it; NULL where nobody refused.';
COMMENT ON COLUMN task.refused_why IS 'Why it was not confirmed.';

ALTER TABLE opt_out ADD COLUMN kind text NOT NULL DEFAULT 'opt_out' CHECK (kind IN ('opt_out', 'plan', 'restore')),
    DROP CONSTRAINT opt_out_state_check,
    ADD CONSTRAINT opt_out_state_check CHECK (state IN ('open', 'closed', 'cancelled', 'reversed', 'foretold')),
    ADD CONSTRAINT opt_out_foretold CHECK ((kind = 'plan') = (state = 'foretold'));
COMMENT ON COLUMN opt_out.kind IS 'opt_out removes; plan only foretells a removal and is never in force; restore brings back what another took.';
COMMENT ON COLUMN opt_out.reversed_by IS 'The restore that reversed it; NULL where none did.';

ALTER TABLE job DROP CONSTRAINT job_kind_check, ADD CONSTRAINT job_kind_check CHECK (kind IN ('opt_out', 'plan', 'restore'));
DROP INDEX job_one_open;
CREATE UNIQUE INDEX job_one_open ON job (subject_id, connection_id)
    WHERE state IN ('waiting', 'running', 'held', 'parked', 'dead') AND kind <> 'plan';

ALTER TABLE connection
    ADD COLUMN fence_delay_s bigint NOT NULL DEFAULT 0 CHECK (fence_delay_s BETWEEN 0 AND 2592000),
    ADD COLUMN fence_approval boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN connection.fence_delay_s IS 'Seconds from the plan until its one-way steps may go; sessions and tokens are never fenced.';
COMMENT ON COLUMN connection.fence_approval IS 'Whether one-way steps need a person''s release besides.';

CREATE TABLE blast_radius (
    job_id              uuid PRIMARY KEY REFERENCES job (id),
    people              bigint NOT NULL CHECK (people >= 0),
    groups              bigint NOT NULL CHECK (groups >= 0),
    applications        bigint NOT NULL CHECK (applications >= 0),
    complete            boolean NOT NULL,
    last_sign_in_path   boolean NOT NULL,
    calls               bigint NOT NULL CHECK (calls >= 0),
    seconds             double precision NOT NULL CHECK (seconds >= 0),
    counted_at          timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE blast_radius IS 'Who else a job affects, as counted when its plan was made.';
COMMENT ON COLUMN blast_radius.job_id IS 'The job.';
COMMENT ON COLUMN blast_radius.people IS 'People who lose access with the subject.';
COMMENT ON COLUMN blast_radius.groups IS 'Groups through which they had it.';
COMMENT ON COLUMN blast_radius.applications IS 'Applications that depend on the subject.';
COMMENT ON COLUMN blast_radius.complete IS 'Whether all of them were counted; where not, there may be more.';
COMMENT ON COLUMN blast_radius.last_sign_in_path IS 'Whether the organisation''s last way to sign in goes through the subject.';
COMMENT ON COLUMN blast_radius.calls IS 'Calls that the plan needs, the closing inspection included.';
COMMENT ON COLUMN blast_radius.seconds IS 'How long they take under the provider''s rate limits.';
COMMENT ON COLUMN blast_radius.counted_at IS 'When it was counted.';

CREATE TABLE provider_capability (
    provider        text NOT NULL CHECK (provider IN ('okta', 'entra', 'vanta', 'scim', 'oidc')),
    subject_kind    text NOT NULL CHECK (subject_kind IN ('person', 'integration')),
    ordinal         integer NOT NULL CHECK (ordinal >= 0),
    capability      jsonb NOT NULL,
    declared_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, subject_kind, ordinal)
);
COMMENT ON TABLE provider_capability IS 'What each worker declares at its start that it can see, revoke, verify and restore.';
COMMENT ON COLUMN provider_capability.provider IS 'The provider.';
COMMENT ON COLUMN provider_capability.subject_kind IS 'Whom it is about.';
COMMENT ON COLUMN provider_capability.ordinal IS 'Its place in the list.';
COMMENT ON COLUMN provider_capability.capability IS 'One family: how it is seen, revoked, proven and restored.';
COMMENT ON COLUMN provider_capability.declared_at IS 'When a worker last declared it.';

ALTER TABLE hold DROP CONSTRAINT hold_reason_check,
    ADD CONSTRAINT hold_reason_check CHECK (reason IN ('mass_guard', 'protected', 'ambiguous_identity', 'unbound', 'newer_employment_event', 'effective_too_old', 'own_credential', 'blocked', 'still_live', 'last_sign_in_path', 'fence'));
ALTER TABLE hold DROP CONSTRAINT hold_policy_check,
    ADD CONSTRAINT hold_policy_check CHECK (policy IN ('nothing', 'cut_sessions', 'contain', 'reversible'));
ALTER TABLE request DROP CONSTRAINT request_event_kind_check,
    ADD CONSTRAINT request_event_kind_check CHECK (event_kind IN ('leaver', 'rehired', 'leave_cancelled', 'last_day_changed', 'opt_out', 'restore'));

GRANT SELECT, INSERT, UPDATE, DELETE ON integration, task, blast_radius, provider_capability TO sever_app;
