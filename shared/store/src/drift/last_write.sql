-- Sever's last write for a subject at a connection, answered or not. What was seen before it is no evidence.
SELECT greatest(max(effect.intent_at), max(effect.answered_at), max(step.verified_at)) AS last_write
FROM job JOIN step ON step.job_id = job.id LEFT JOIN effect ON effect.step_id = step.id
WHERE job.subject_id = {subject} AND job.connection_id = {here}
