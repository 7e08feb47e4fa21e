-- An account that a whole list does not name may be gone, or its record or page was lost: a read by id decides. An acceptance stays.
UPDATE finding SET state = 'suspected', last_run_id = $1
WHERE connection_id = $2 AND situation = ANY($3) AND last_seen_at < $4 AND provider_id IS NOT NULL
  AND situation IN ('residual', 'resurrected', 'orphan_account', 'ambiguous')
  AND (state IN ('open', 'held') OR (state = 'accepted' AND accepted_until <= now()))
  AND NOT EXISTS (SELECT FROM drift_cause AS cause WHERE cause.situation = finding.situation AND cause.cause_key = finding.cause_key)
  AND NOT EXISTS (SELECT FROM observed_account AS a WHERE a.run_no = $5 AND a.provider_id = finding.provider_id)
RETURNING id, situation, subject_id, state
