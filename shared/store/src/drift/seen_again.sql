-- What is open already keeps its row, and what was learnt of it otherwise.
WITH cause AS (
    SELECT DISTINCT ON (situation, cause_key) * FROM drift_cause WHERE NOT stale ORDER BY situation, cause_key, seen_at DESC
)
UPDATE finding SET last_run_id = $1, times_seen = times_seen + 1, last_seen_at = greatest(last_seen_at, cause.seen_at),
       evidence = cause.evidence || jsonb_strip_nulls(jsonb_build_object('read_by_id', finding.evidence -> 'read_by_id',
           'tried_at', finding.evidence -> 'tried_at', 'repairs', finding.evidence -> 'repairs')), privileged = cause.privileged, subject_id = coalesce(cause.subject_id, finding.subject_id)
FROM cause
WHERE finding.connection_id = $2 AND finding.situation = cause.situation AND finding.cause_key = cause.cause_key AND finding.closed_at IS NULL
