-- One row for each difference, whatever its situation.
CREATE TEMP TABLE drift_cause (
    situation text NOT NULL, cause_key text NOT NULL, provider_id text, subject_id uuid, privileged boolean NOT NULL,
    seen_at timestamptz NOT NULL, evidence jsonb NOT NULL, stale boolean NOT NULL DEFAULT false, may_act boolean NOT NULL DEFAULT true
) ON COMMIT DROP;

-- What was not read is unknown, never clean. What single accounts were read for says nothing of a family.
INSERT INTO drift_cause (situation, cause_key, privileged, seen_at, evidence)
SELECT 'unreachable', 'family:' || family, false, '{started_at}', jsonb_build_object('result', result, 'detail', detail)
FROM run_family WHERE run_id = '{run_id}' AND result IN ('forbidden', 'failed') AND {whole}
