-- New differences. What came back after repairs too often is held; what cannot be acted on is only shown.
WITH cause AS (
    SELECT DISTINCT ON (situation, cause_key) * FROM drift_cause WHERE NOT stale ORDER BY situation, cause_key, seen_at DESC
), new AS (
    SELECT cause.*, policy.action AS by_policy, policy.begins,
           (SELECT count(*) FROM finding AS before
            WHERE before.connection_id = $2 AND before.cause_key = cause.cause_key AND before.state = 'repaired') AS returns
    FROM cause JOIN unnest($3::text[], $4::text[], $5::text[]) AS policy (situation, action, begins) USING (situation)
    WHERE NOT EXISTS (SELECT FROM finding WHERE finding.connection_id = $2 AND finding.situation = cause.situation
                                            AND finding.cause_key = cause.cause_key AND finding.closed_at IS NULL)
)
INSERT INTO finding (id, situation, connection_id, cause_key, provider_id, subject_id, privileged, state, state_reason, action, evidence,
                     returns, run_id, last_run_id, first_seen_at, last_seen_at)
SELECT gen_random_uuid(), situation, $2, cause_key, provider_id, subject_id, privileged,
       -- A holder that the account list does not name may be newer than the list, or its record or page was lost: it is read by id.
       CASE WHEN evidence ->> 'holder' = 'absent' AND provider_id IS NOT NULL THEN 'suspected'
            WHEN returns >= $6 AND begins = 'open' THEN 'held' ELSE begins END,
       CASE WHEN returns >= $6 THEN 'comes_back' END,
       CASE WHEN returns >= $6 THEN 'hold' WHEN NOT may_act AND by_policy = 'repair' THEN 'report' ELSE by_policy END,
       evidence, returns, $1, $1, seen_at, seen_at
FROM new
ON CONFLICT (connection_id, situation, cause_key) WHERE closed_at IS NULL DO NOTHING
RETURNING id, situation, subject_id, state, returns
