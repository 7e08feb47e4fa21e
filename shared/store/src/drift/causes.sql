-- Left, and still live: bound, or one person's by the rules.
INSERT INTO drift_cause (situation, cause_key, provider_id, subject_id, privileged, seen_at, evidence)
SELECT 'residual', kind || ':' || provider_id, provider_id, subject_id, false, seen_at,
       jsonb_build_object('state', state, 'basis', CASE binding_state WHEN 'confirmed' THEN 'binding' ELSE 'listed' END)
FROM drift_account
WHERE state = 'live' AND out AND NOT (binding_state = 'candidate' AND EXISTS (
    SELECT FROM drift_contested AS c WHERE c.kind = drift_account.kind AND c.provider_id = drift_account.provider_id));

INSERT INTO drift_cause (situation, cause_key, provider_id, subject_id, privileged, seen_at, evidence)
SELECT CASE WHEN owners = 0 THEN 'orphan_account' WHEN owners = 1 AND NOT doubtful THEN 'residual' ELSE 'ambiguous' END,
       'account:' || provider_id, provider_id, CASE WHEN owners = 1 AND NOT doubtful THEN one END, false, seen_at,
       jsonb_build_object('state', state, 'owners', owners, 'basis', CASE WHEN owners = 1 AND NOT doubtful THEN 'rule' ELSE 'none' END)
FROM (
    SELECT d.provider_id, min(d.state) AS state, min(d.seen_at) AS seen_at, count(DISTINCT owner.subject_id) AS owners,
           min(owner.subject_id::text)::uuid AS one, coalesce(bool_or(owner.out), false) AS out, coalesce(bool_and(owner.doubtful), false) AS doubtful
    FROM drift_account AS d LEFT JOIN drift_owner AS owner USING (provider_id)
    WHERE d.subject_id IS NULL GROUP BY d.provider_id
) AS unbound
WHERE owners <> 1 OR out;

INSERT INTO drift_cause (situation, cause_key, provider_id, subject_id, privileged, seen_at, evidence)
SELECT DISTINCT ON (kind, provider_id) 'ambiguous', kind || ':' || provider_id, provider_id, NULL::uuid, false, d.seen_at,
       jsonb_build_object('state', d.state, 'basis', 'listed')
FROM drift_contested JOIN drift_account AS d USING (kind, provider_id)
WHERE d.state = 'live' AND NOT EXISTS (
    SELECT FROM binding WHERE binding.connection_id = '{connection}' AND binding.kind = d.kind AND binding.provider_id = d.provider_id AND binding.state = 'confirmed');

-- Active here, gone there. Of somebody on leave, or whose account is on its way back, nothing is said.
INSERT INTO drift_cause (situation, cause_key, provider_id, subject_id, privileged, seen_at, evidence)
SELECT 'missing', kind || ':' || provider_id, provider_id, subject_id, false, coalesce(seen_at, '{started_at}'),
       jsonb_build_object('state', coalesce(state, 'absent'), 'basis', 'binding')
FROM drift_account LEFT JOIN person ON person.id = subject_id
WHERE subject_id IS NOT NULL AND NOT out AND binding_state = 'confirmed' AND coalesce(state, 'absent') NOT IN ('live', 'contained')
  AND coalesce(person.employment_state, 'active') = 'active'
  AND NOT EXISTS (SELECT FROM job WHERE job.subject_id = drift_account.subject_id AND job.connection_id = '{connection}'
                  AND job.state IN ('waiting', 'running', 'held', 'parked', 'dead') AND job.kind <> 'plan');

-- This connection is the directory of a source: who is suspended, deactivated or gone there, and of whom no event came. What is not
-- in the list is read by id before anything is said; nobody is a leaver because a list is short.
INSERT INTO drift_cause (situation, cause_key, provider_id, subject_id, privileged, seen_at, evidence)
SELECT 'gone_at_source', kind || ':' || provider_id, provider_id, subject_id, false, coalesce(seen_at, '{started_at}'),
       jsonb_build_object('state', coalesce(drift_account.state, 'absent'), 'basis', CASE binding_state WHEN 'confirmed' THEN 'binding' ELSE 'listed' END, 'directory_of', source.name)
FROM drift_account JOIN person ON person.id = subject_id
JOIN reconcile_setting AS setting ON setting.connection_id = '{connection}' JOIN source ON source.id = setting.directory_of
WHERE NOT out AND kind = 'account' AND coalesce(drift_account.state, 'absent') <> 'live' AND person.employment_state = 'active'
  AND EXISTS (SELECT FROM person_key WHERE person_key.person_id = person.id AND person_key.source_id = source.id)
  AND NOT EXISTS (SELECT FROM job WHERE job.subject_id = drift_account.subject_id AND job.connection_id = '{connection}'
                  AND job.state IN ('waiting', 'running', 'held', 'parked', 'dead') AND job.kind <> 'plan');

-- What is gone at the directory is not missing besides.
DELETE FROM drift_cause AS missing USING drift_cause AS gone
WHERE missing.situation = 'missing' AND gone.situation = 'gone_at_source' AND gone.cause_key = missing.cause_key;

-- An application that is no known integration, and has administrative power or a role at a resource: nobody answers for it.
INSERT INTO drift_cause (situation, cause_key, provider_id, subject_id, privileged, seen_at, evidence)
SELECT 'orphan_account', 'application:' || account_id, account_id, NULL::uuid, true, max(seen_at),
       jsonb_build_object('state', 'live', 'holder', 'application', 'entitlements', count(*),
                          'first', (array_agg(kind || ':' || provider_key ORDER BY kind, provider_key))[1:10])
FROM drift_entitlement
WHERE holder_kind = 'application' AND holder_state = 'live' AND privileged AND kind IN ('role', 'resource_role', 'permission')
GROUP BY account_id
HAVING NOT EXISTS (SELECT FROM binding WHERE binding.connection_id = '{connection}' AND binding.kind = 'application'
                   AND binding.provider_id = account_id AND binding.state IN ('candidate', 'confirmed'));

-- What an opt-out left on purpose, or had attested, is in order while the account stays as it is.
DELETE FROM drift_entitlement AS e
USING binding JOIN step ON step.binding_id = binding.id
WHERE e.holder_state <> 'live' AND binding.connection_id = '{connection}' AND binding.provider_id = e.account_id
  AND step.target_kind = e.kind AND step.target_key = e.provider_key AND step.state IN ('inert', 'attested');

INSERT INTO drift_cause (situation, cause_key, provider_id, subject_id, privileged, seen_at, evidence)
SELECT CASE WHEN holder_kind = 'application' AND owner.subject_id IS NOT NULL THEN 'integration_residue' ELSE 'orphan_entitlement' END,
       'holder:' || account_id, account_id, owner.subject_id, e.privileged, e.seen_at,
       jsonb_build_object('holder', e.holder_state, 'entitlements', e.entitlements, 'first', e.first)
FROM (
    SELECT account_id, min(holder_kind) AS holder_kind, min(holder_state) AS holder_state, bool_or(privileged) AS privileged,
           max(seen_at) AS seen_at, count(*) AS entitlements,
           (array_agg(kind || ':' || provider_key ORDER BY privileged DESC, kind, provider_key))[1:10] AS first
    FROM drift_entitlement WHERE holder_state <> 'live' AND kind <> 'api_token' GROUP BY account_id
) AS e
LEFT JOIN LATERAL (
    SELECT binding.subject_id FROM binding
    -- The kinds are named so that the index is asked for one id, and not for all of the connection's.
    WHERE binding.connection_id = '{connection}' AND binding.kind IN ('account', 'application') AND binding.provider_id = e.account_id
      AND binding.state = 'confirmed' LIMIT 1
) AS owner ON true;

INSERT INTO drift_cause (situation, cause_key, provider_id, subject_id, privileged, seen_at, evidence)
SELECT 'unowned_token', 'api_token:' || provider_key, nullif(account_id, ''), owner.subject_id, bool_or(privileged), max(seen_at),
       jsonb_build_object('holder', min(holder_state))
FROM drift_entitlement
LEFT JOIN binding AS owner ON owner.connection_id = '{connection}' AND owner.kind = 'account' AND owner.provider_id = account_id
                          AND owner.state = 'confirmed'
WHERE holder_state <> 'live' AND drift_entitlement.kind = 'api_token' GROUP BY provider_key, account_id, owner.subject_id;

-- Accounts whose owner a person named are in order, until their date.
DELETE FROM drift_cause WHERE EXISTS (
    SELECT FROM exception WHERE exception.connection_id = '{connection}' AND exception.provider_id = drift_cause.provider_id
      AND exception.ended_at IS NULL AND exception.until > now()
    UNION ALL
    SELECT FROM protected_principal AS p
    WHERE p.connection_id = '{connection}' AND p.provider_id = drift_cause.provider_id AND (p.until IS NULL OR p.until > now()));

-- What the subject's own removal says of it. Few causes ask for few subjects, many for all of them in one pass.
ANALYZE drift_cause;
UPDATE drift_cause SET
    situation = CASE WHEN drift_cause.situation <> 'residual' THEN drift_cause.situation
                     WHEN subject.kind = 'integration' THEN 'integration_residue'
                     WHEN stands.proven THEN 'resurrected' ELSE 'residual' END,
    stale = coalesce(stands.under_way, false) OR coalesce(drift_cause.seen_at <= written.last_write, false),
    -- Of who is gone at the directory a person decides, whatever hinders a repair. An opt-out does not look for an account by its
    -- attributes where another one is known: it would prove that one gone, not this.
    may_act = drift_cause.situation = 'gone_at_source' OR (
        stands.subject_id IS NOT NULL AND stands.hindrance IS NULL AND NOT (coalesce(drift_cause.evidence ->> 'basis', '') = 'rule' AND EXISTS (
            SELECT FROM binding WHERE binding.subject_id = subject.id AND binding.connection_id = '{connection}'
                                  AND binding.state IN ('candidate', 'confirmed')))),
    evidence = drift_cause.evidence || jsonb_strip_nulls(jsonb_build_object(
        'removal', CASE WHEN stands.out THEN coalesce(stands.hindrance, CASE WHEN stands.proven THEN 'proven' END) END,
        'last_write', written.last_write))
FROM subject LEFT JOIN drift_standing AS stands ON stands.subject_id = subject.id, LATERAL ({last_write}) AS written
WHERE drift_cause.subject_id = subject.id;

-- How much hangs on a live account that should not be.
UPDATE drift_cause SET privileged = e.privileged,
    evidence = drift_cause.evidence || jsonb_build_object('entitlements', e.entitlements, 'first', e.first)
FROM (
    SELECT account_id, bool_or(privileged) AS privileged, count(*) AS entitlements,
           (array_agg(kind || ':' || provider_key ORDER BY privileged DESC, kind, provider_key))[1:10] AS first
    FROM drift_entitlement WHERE holder_state = 'live' GROUP BY account_id
) AS e
WHERE drift_cause.provider_id = e.account_id AND drift_cause.situation IN ('residual', 'resurrected', 'integration_residue', 'orphan_account', 'ambiguous');
ANALYZE drift_cause
