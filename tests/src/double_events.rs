//! What must not stand twice in the audit events.

/// Finds it, as `kind|about`: claims by epoch, intents and answers by effect, openings and closings, new jobs.
pub const DOUBLE_EVENTS: &str = "
WITH event AS (
    SELECT kind, opt_out_id, job_id, convert_from(canonical, 'UTF8')::jsonb -> 'data' AS data FROM audit_event
), fact AS (
    SELECT kind, job_id::text || (data ->> 'epoch') AS about FROM event WHERE kind = 'job.claimed'
    UNION ALL SELECT kind, (e ->> 'step') || (e ->> 'effect') FROM event, jsonb_array_elements(data) AS e WHERE kind = 'effects.answered'
    UNION ALL SELECT kind, (e ->> 'step') || (data ->> 'attempt') FROM event, jsonb_array_elements(data -> 'steps') AS e WHERE kind = 'steps.intended'
    UNION ALL SELECT kind, opt_out_id::text FROM event WHERE kind IN ('opt_out.opened', 'opt_out.closed')
    UNION ALL SELECT kind, job_id::text FROM event WHERE kind = 'job.created'
)
SELECT kind, about FROM fact GROUP BY kind, about
HAVING count(*) > 1";
