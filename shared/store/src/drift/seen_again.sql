-- What is open already keeps its row. An acceptance that is over ends here.
WITH cause AS (
    SELECT DISTINCT ON (situation, cause_key) * FROM drift_cause WHERE NOT stale ORDER BY situation, cause_key, seen_at DESC
)
UPDATE finding SET last_run_id = $1, times_seen = times_seen + 1, last_seen_at = greatest(last_seen_at, cause.seen_at),
       evidence = cause.evidence, privileged = cause.privileged, subject_id = coalesce(cause.subject_id, finding.subject_id),
       state = CASE WHEN state = 'accepted' AND accepted_until <= now() THEN 'open' ELSE state END,
       state_reason = CASE WHEN state = 'accepted' AND accepted_until <= now() THEN 'acceptance_over' ELSE state_reason END
FROM cause
WHERE finding.connection_id = $2 AND finding.situation = cause.situation AND finding.cause_key = cause.cause_key AND finding.closed_at IS NULL
