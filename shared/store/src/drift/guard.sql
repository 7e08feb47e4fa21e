-- How many findings the run would open. What could not be read is no finding about anybody.
SELECT count(*) AS opens FROM (
    SELECT DISTINCT situation, cause_key FROM drift_cause WHERE NOT stale AND situation <> 'unreachable'
) AS cause
WHERE NOT EXISTS (
    SELECT FROM finding WHERE finding.connection_id = $1 AND finding.situation = cause.situation
                          AND finding.cause_key = cause.cause_key AND finding.closed_at IS NULL)
