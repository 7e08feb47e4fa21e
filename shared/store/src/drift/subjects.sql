-- Whom the accounts of an incremental run can be about: their owners, and who could be one by name or employee number.
CREATE TEMP TABLE drift_subject ON COMMIT DROP AS
WITH seen AS MATERIALIZED (SELECT DISTINCT provider_id, name_key, number_key FROM observed_account WHERE run_no = {run})
SELECT binding.subject_id FROM seen JOIN binding ON binding.connection_id = '{connection}' AND binding.kind IN ('account', 'application')
                                               AND binding.provider_id = seen.provider_id
UNION
SELECT person.id FROM seen JOIN person ON match_name(person.given_name, person.family_name) = seen.name_key
UNION
SELECT person_key.person_id FROM seen JOIN person_key ON match_key(person_key.external_id) = seen.number_key;
ANALYZE drift_subject
