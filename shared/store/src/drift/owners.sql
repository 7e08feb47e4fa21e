-- Whose an account without a binding could be: by employee number or full name, then by the rules. An e-mail alone finds nobody.
ANALYZE drift_account;
CREATE TEMP TABLE drift_owner ON COMMIT DROP AS
WITH unbound AS (
    SELECT DISTINCT ON (provider_id) * FROM drift_account WHERE subject_id IS NULL
), rule AS (
    SELECT mail, name, number FROM correlation_rule WHERE connection_id = '{connection}'
    UNION ALL
    SELECT any_two.* FROM (VALUES (true, true, false), (true, false, true), (false, true, true)) AS any_two (mail, name, number)
    WHERE NOT EXISTS (SELECT FROM correlation_rule WHERE connection_id = '{connection}')
), candidate AS (
    SELECT unbound.provider_id, person.id AS person_id
    FROM unbound JOIN person ON match_name(person.given_name, person.family_name) = unbound.name_key
    UNION
    SELECT unbound.provider_id, person_key.person_id
    FROM unbound JOIN person_key ON match_key(person_key.external_id) = unbound.number_key
), agreed AS (
    SELECT candidate.provider_id, person.id AS subject_id, EXISTS (SELECT FROM drift_standing AS stands WHERE stands.subject_id = person.id AND stands.out) AS out,
           coalesce(match_name(person.given_name, person.family_name) = unbound.name_key, false) AS name,
           EXISTS (SELECT FROM person_key
                   WHERE person_key.person_id = person.id AND match_key(person_key.external_id) = unbound.number_key) AS number,
           EXISTS (SELECT FROM unnest(person.emails) AS email
                   WHERE match_key(email) = unbound.login_key OR match_key(email) = unbound.mail_key) AS mail
    FROM candidate JOIN unbound USING (provider_id) JOIN person ON person.id = candidate.person_id
)
SELECT DISTINCT agreed.provider_id, agreed.subject_id, agreed.out, false AS doubtful FROM agreed
WHERE EXISTS (SELECT FROM rule WHERE (NOT rule.mail OR agreed.mail) AND (NOT rule.name OR agreed.name) AND (NOT rule.number OR agreed.number))
UNION
SELECT unbound.provider_id, binding.subject_id,
       EXISTS (SELECT FROM drift_standing AS stands WHERE stands.subject_id = binding.subject_id AND stands.out), true FROM unbound
JOIN binding ON binding.connection_id = '{connection}' AND binding.kind = 'account'
            AND binding.provider_id = unbound.provider_id AND binding.state = 'ambiguous';
-- Two listed owners of one id are two owners, unless one of them is confirmed.
CREATE TEMP TABLE drift_contested ON COMMIT DROP AS
SELECT kind, provider_id FROM drift_account JOIN binding USING (kind, provider_id)
WHERE binding.connection_id = '{connection}' AND drift_account.binding_state = 'candidate'
  AND binding.state IN ('candidate', 'confirmed', 'ambiguous') AND binding.subject_id <> drift_account.subject_id
GROUP BY kind, provider_id
