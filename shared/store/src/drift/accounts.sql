-- How everybody stands here who left, was removed, or is being worked on; in an incremental run, everybody whom it can be about.
CREATE TEMP TABLE drift_standing ON COMMIT DROP AS
{standing};
ANALYZE drift_standing;

-- Accounts both ways, in one pass: what was seen against the bindings, and the bindings against what was seen. Kept is only what
-- is not plainly in order, so that everything after this is small. The scope limits an incremental run to what it saw.
CREATE TEMP TABLE drift_account ON COMMIT DROP AS
SELECT kind, provider_id, a.state, a.seen_at, a.login_key, a.mail_key, a.name_key, a.number_key,
       b.subject_id, b.binding_state, o.subject_id IS NOT NULL AS out
FROM (SELECT * FROM observed_account WHERE run_no = {run}) AS a
FULL JOIN (
    SELECT kind, provider_id, subject_id, state AS binding_state FROM binding
    WHERE connection_id = '{connection}' AND state IN ('candidate', 'confirmed') {scope}
) AS b USING (kind, provider_id)
LEFT JOIN drift_standing AS o ON o.out AND o.subject_id = b.subject_id
WHERE (a.state = 'live' AND o.subject_id IS NOT NULL)
   OR (a.state = 'live' AND b.subject_id IS NULL AND kind = 'account')
   OR (o.subject_id IS NULL AND b.binding_state = 'confirmed' AND (a.state IS NULL OR a.state IN ('deactivated', 'absent')))
   -- At the directory of a source a listed id suffices, and a suspended account says something.
   OR (o.subject_id IS NULL AND b.subject_id IS NOT NULL AND a.state IS DISTINCT FROM 'live'
       AND EXISTS (SELECT FROM reconcile_setting WHERE connection_id = '{connection}' AND directory_of IS NOT NULL))
