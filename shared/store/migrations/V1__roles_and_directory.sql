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

COMMENT ON COLUMN incarnation.only_row IS 'Always true: the table has one row.';
COMMENT ON COLUMN incarnation.value IS 'The mark, random and never used twice.';
COMMENT ON COLUMN incarnation.since IS 'When this history began.';
COMMENT ON COLUMN source.id IS 'Its id.';
COMMENT ON COLUMN source.name IS 'The name by which people, tokens and routing keys refer to it.';
COMMENT ON COLUMN source.created_at IS 'When it was added.';
COMMENT ON COLUMN api_token.id IS 'Its id.';
COMMENT ON COLUMN api_token.name IS 'The name that audit events show.';
COMMENT ON COLUMN api_token.digest IS 'SHA-256 of the token.';
COMMENT ON COLUMN api_token.scopes IS 'What the bearer may do.';
COMMENT ON COLUMN api_token.created_at IS 'When it was made.';
COMMENT ON COLUMN api_token.expires_at IS 'From then on it does not work; NULL means never.';
COMMENT ON COLUMN api_token.revoked_at IS 'When it was ended by hand; NULL while it was not.';
COMMENT ON COLUMN subject.id IS 'The pseudonym.';
COMMENT ON COLUMN subject.kind IS 'person, or integration for what is not a human.';
COMMENT ON COLUMN person.id IS 'The subject that the person is.';
COMMENT ON COLUMN person.given_name IS 'Given name; NULL where the source names none.';
COMMENT ON COLUMN person.family_name IS 'Family name; NULL where the source names none.';
COMMENT ON COLUMN person.emails IS 'E-mail addresses in lower case; they find candidates and confirm nothing.';
COMMENT ON COLUMN person.employment_state IS 'The newest state that any source reported.';
COMMENT ON COLUMN person.updated_at IS 'When a row of an import or an event last changed it.';
COMMENT ON COLUMN person_key.person_id IS 'Whose key it is.';
COMMENT ON COLUMN person_key.source_id IS 'The source that gave it.';
COMMENT ON COLUMN person_key.external_id IS 'The id as the source writes it.';
COMMENT ON COLUMN employment_event.person_id IS 'Whom it is about.';
COMMENT ON COLUMN employment_event.source_id IS 'Who said it.';
COMMENT ON COLUMN employment_event.version IS 'The source''s own version of the employment; grows.';
COMMENT ON COLUMN employment_event.kind IS 'What was said.';
COMMENT ON COLUMN employment_event.occurred_at IS 'When it happened, by the source''s clock.';
COMMENT ON COLUMN employment_event.recorded_at IS 'When it was written here.';
COMMENT ON COLUMN directory_census.only_row IS 'Always true: the table has one row.';
COMMENT ON COLUMN directory_census.active_people IS 'People whose employment is active.';
COMMENT ON COLUMN directory_census.counted_at IS 'When they were counted.';
COMMENT ON COLUMN connection.id IS 'Its id.';
COMMENT ON COLUMN connection.provider IS 'The system''s kind.';
COMMENT ON COLUMN connection.name IS 'The name by which people and configuration refer to it.';
COMMENT ON COLUMN connection.base_url IS 'Where its API is.';
COMMENT ON COLUMN connection.token_lifetime_s IS 'Seconds for which an access token issued there can go on working.';
COMMENT ON COLUMN connection.clock_skew_s IS 'Seconds by which its clock may differ from ours.';
COMMENT ON COLUMN connection.state IS 'open, parked for wrong credentials, or closed by configuration.';
COMMENT ON COLUMN connection.state_reason IS 'Why it is parked.';
COMMENT ON COLUMN connection.version IS 'Grows with every change of its configuration.';
COMMENT ON COLUMN connection.created_at IS 'When it was first applied.';
COMMENT ON COLUMN binding.id IS 'Its id.';
COMMENT ON COLUMN binding.subject_id IS 'Whose account it is or could be.';
COMMENT ON COLUMN binding.connection_id IS 'Where.';
COMMENT ON COLUMN binding.kind IS 'What the id names.';
COMMENT ON COLUMN binding.provider_id IS 'The provider''s immutable id.';
COMMENT ON COLUMN binding.state IS 'How sure it is; only confirmed ones are written to.';
COMMENT ON COLUMN binding.basis IS 'What it rests on.';
COMMENT ON COLUMN binding.created_at IS 'When it was first named.';
COMMENT ON COLUMN binding.confirmed_at IS 'When a read by id confirmed it; NULL before.';
COMMENT ON COLUMN protected_principal.id IS 'Its id.';
COMMENT ON COLUMN protected_principal.subject_id IS 'The protected subject; NULL where an account is protected.';
COMMENT ON COLUMN protected_principal.connection_id IS 'Where the protected account is; NULL where a subject is protected.';
COMMENT ON COLUMN protected_principal.provider_id IS 'The protected account''s immutable id; NULL where a subject is protected.';
COMMENT ON COLUMN protected_principal.kind IS 'What kind of thing it protects.';
COMMENT ON COLUMN protected_principal.owner IS 'Who answers for the entry.';
COMMENT ON COLUMN protected_principal.reason IS 'Why, without personal data.';
COMMENT ON COLUMN protected_principal.until IS 'From then on it protects no more; NULL means never.';
COMMENT ON COLUMN protected_principal.created_at IS 'When it was added.';
