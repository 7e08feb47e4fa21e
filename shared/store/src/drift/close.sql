-- What a newer observation does not show any more is over. A repair under way ends by its own proof; a stale sight neither opens nor closes.
-- That an account is not in the list is no observation of it: see doubt.sql. An incremental run ends what it says of the accounts that it
-- names, and what hangs on one of them only where it read of it every family that the newest full inventory lists.
UPDATE finding SET state = 'closed', state_reason = 'observed', closed_at = now(), last_run_id = $1
WHERE connection_id = $2 AND closed_at IS NULL AND state <> 'repairing' AND situation = ANY($3) AND last_seen_at < $4
  AND NOT EXISTS (SELECT FROM drift_cause AS cause WHERE cause.situation = finding.situation AND cause.cause_key = finding.cause_key)
  AND (($5 AND situation NOT IN ('residual', 'resurrected', 'orphan_account', 'ambiguous'))
       OR (EXISTS (SELECT FROM observed_account AS a WHERE a.run_no = $6 AND a.provider_id = finding.provider_id)
           AND ($5 OR situation = ANY($7) OR NOT EXISTS (
               SELECT FROM connection_inventory AS pointer JOIN run_family ON run_family.run_id = pointer.run_id
               WHERE pointer.connection_id = $2 AND run_family.result = 'complete' AND run_family.family <> 'account' AND NOT EXISTS (
                   SELECT FROM run_subject
                   WHERE run_subject.run_id = $1 AND run_subject.provider_id = finding.provider_id AND run_family.family = ANY(run_subject.families))))))
RETURNING id, situation, subject_id, state
