-- The role that every service has; whoever logs in for a service is a member of it.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sever_app') THEN
        CREATE ROLE sever_app NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- another database of the same cluster made it at the same moment
END
$$;

CREATE TABLE incarnation (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    value       uuid NOT NULL DEFAULT gen_random_uuid(),
    since       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE incarnation IS 'The random mark of this history of the database. Bringing the database back to an earlier point writes a new one before services start; claim and intent compare it with the one read at start.';
INSERT INTO incarnation DEFAULT VALUES;

CREATE TABLE source (
    id              uuid PRIMARY KEY,
    name            text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    broker_user     text UNIQUE,
    trusted         boolean NOT NULL DEFAULT false,
    created_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE source IS 'An upstream that reports or asks: an HR system, an identity provider.';
COMMENT ON COLUMN source.broker_user IS 'The user name that the broker validated as user-id of its messages.';
COMMENT ON COLUMN source.trusted IS 'Whether the provider ids that it lists become bindings once a read by id finds them.';

CREATE TABLE api_token (
    id              uuid PRIMARY KEY,
    name            text NOT NULL UNIQUE,
    digest          bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    scopes          text[] NOT NULL CHECK (cardinality(scopes) > 0),
    source_id       uuid REFERENCES source (id),
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz,
    revoked_at      timestamptz
);
COMMENT ON TABLE api_token IS 'Bearer tokens by SHA-256 digest; the token itself is shown once and stored nowhere.';
COMMENT ON COLUMN api_token.source_id IS 'The source for which the bearer speaks; required for leaver events.';

CREATE TABLE subject (
    id              uuid PRIMARY KEY,
    kind            text NOT NULL CHECK (kind IN ('person', 'integration')),
    version         bigint NOT NULL DEFAULT 1 CHECK (version > 0)
);
COMMENT ON TABLE subject IS 'Who loses access. The id is the pseudonym used in audit events and logs.';
COMMENT ON COLUMN subject.version IS 'Grows with every change that an intent must not overlook (employment, keys, bindings).';

CREATE TABLE person (
    id                  uuid PRIMARY KEY REFERENCES subject (id),
    given_name          text,
    family_name         text,
    emails              text[] NOT NULL DEFAULT '{}',
    employment_state    text NOT NULL CHECK (employment_state IN ('active', 'on_leave', 'left')),
    updated_at          timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE person IS 'A human in the directory. Personal data lives here and nowhere else.';
CREATE INDEX person_emails ON person USING gin (emails);

CREATE TABLE person_key (
    person_id       uuid NOT NULL REFERENCES person (id),
    source_id       uuid NOT NULL REFERENCES source (id),
    external_id     text NOT NULL CHECK (length(external_id) BETWEEN 1 AND 256),
    PRIMARY KEY (source_id, external_id)
);
COMMENT ON TABLE person_key IS 'Upstream ids: opaque, and scoped to their source.';
CREATE INDEX person_key_person ON person_key (person_id);

CREATE TABLE employment_event (
    person_id       uuid NOT NULL REFERENCES person (id),
    source_id       uuid NOT NULL REFERENCES source (id),
    version         bigint NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('leaver', 'rehired', 'leave_cancelled', 'last_day_changed')),
    occurred_at     timestamptz NOT NULL,
    recorded_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (person_id, source_id, version, kind)
);
COMMENT ON TABLE employment_event IS 'What each source said about a person''s employment, in its own versions.';

CREATE TABLE directory_census (
    only_row        boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    active_people   bigint NOT NULL DEFAULT 0,
    counted_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE directory_census IS 'How many people are active, counted after imports and every minute; the mass guard''s percentage refers to it.';
INSERT INTO directory_census DEFAULT VALUES;

CREATE TABLE connection (
    id                  uuid PRIMARY KEY,
    provider            text NOT NULL CHECK (provider IN ('okta', 'entra', 'vanta', 'scim', 'oidc')),
    name                text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    base_url            text NOT NULL,
    credential_ref      text NOT NULL CHECK (credential_ref ~ '^(env:|file:/)'),
    token_lifetime_s    bigint NOT NULL CHECK (token_lifetime_s >= 0),
    token_lifetimes     jsonb NOT NULL DEFAULT '{}',
    clock_skew_s        bigint NOT NULL CHECK (clock_skew_s >= 0),
    in_flight_max       integer NOT NULL CHECK (in_flight_max BETWEEN 1 AND 64),
    jobs_max            integer NOT NULL CHECK (jobs_max BETWEEN 1 AND 1024),
    state               text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'parked', 'closed')),
    state_reason        text,
    blocked_until       timestamptz,
    version             bigint NOT NULL DEFAULT 1,
    created_at          timestamptz NOT NULL DEFAULT now(),
    CHECK ((state = 'parked') = (state_reason IS NOT NULL) OR state = 'closed')
);
COMMENT ON TABLE connection IS 'One instance of an external system.';
COMMENT ON COLUMN connection.credential_ref IS 'env:NAME or file:/path; the secret itself is in no table.';
COMMENT ON COLUMN connection.token_lifetimes IS 'Seconds by token issuer, where they differ from token_lifetime_s.';
COMMENT ON COLUMN connection.in_flight_max IS 'Provider calls that one worker process may have under way.';
COMMENT ON COLUMN connection.jobs_max IS 'Jobs of this connection that may hold a lease at once, over all workers.';
COMMENT ON COLUMN connection.blocked_until IS 'The provider asked to be left alone until then; the claim respects it.';

CREATE TABLE binding (
    id              uuid PRIMARY KEY,
    subject_id      uuid NOT NULL REFERENCES subject (id),
    connection_id   uuid NOT NULL REFERENCES connection (id),
    kind            text NOT NULL CHECK (kind IN ('account')),
    provider_id     text NOT NULL CHECK (length(provider_id) BETWEEN 1 AND 256),
    state           text NOT NULL CHECK (state IN ('candidate', 'confirmed', 'ambiguous', 'refuted')),
    basis           text NOT NULL CHECK (basis IN ('source_listed', 'login_and_attributes', 'operator')),
    created_at      timestamptz NOT NULL DEFAULT now(),
    confirmed_at    timestamptz,
    UNIQUE (subject_id, connection_id, kind, provider_id),
    CHECK (state <> 'confirmed' OR confirmed_at IS NOT NULL)
);
COMMENT ON TABLE binding IS 'Immutable ids of a subject at a connection; a subject may have several. Only confirmed ones are ever written to.';
CREATE UNIQUE INDEX binding_one_owner ON binding (connection_id, kind, provider_id) WHERE state = 'confirmed';

CREATE TABLE protected_principal (
    id              uuid PRIMARY KEY,
    subject_id      uuid REFERENCES subject (id),
    connection_id   uuid REFERENCES connection (id),
    provider_id     text,
    kind            text NOT NULL CHECK (kind IN ('break_glass', 'service_account', 'last_administrator', 'other')),
    owner           text NOT NULL,
    reason          text NOT NULL,
    until           timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CHECK ((subject_id IS NOT NULL) <> (connection_id IS NOT NULL AND provider_id IS NOT NULL))
);
COMMENT ON TABLE protected_principal IS 'Subjects or accounts that no opt-out may touch without a person.';
CREATE UNIQUE INDEX protected_principal_subject ON protected_principal (subject_id) WHERE subject_id IS NOT NULL;
CREATE UNIQUE INDEX protected_principal_account ON protected_principal (connection_id, provider_id) WHERE provider_id IS NOT NULL;
