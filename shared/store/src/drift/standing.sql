-- How subjects stand at a connection: the one place that says who must have nothing there, and whose access may be taken away by itself.
-- {here} is the connection, {subject} a condition on the subject's id.
WITH removal AS (
    -- Removals that name the connection, each with its jobs there; none where the connection came later.
    SELECT opt_out.subject_id, opt_out.id, opt_out.state, opt_out.opened_at, job.id AS job_id, job.state AS job_state, job.intent,
           job.effective_at, job.created_at
    FROM opt_out LEFT JOIN job ON job.opt_out_id = opt_out.id AND job.connection_id = {here}
    WHERE opt_out.kind = 'opt_out' AND opt_out.subject_id {subject}
      AND (job.id IS NOT NULL OR opt_out.scope IS NULL OR {here} = ANY (opt_out.scope))
), rest AS (
    -- What each of them rests on. That of somebody who is here (again) rests on nothing, unless a person asked for it by hand and
    -- nothing was said or changed since. What the reconciler asked for rests on the leave that it found.
    SELECT removal.*, person.id IS NULL OR person.employment_state = 'left' OR asked.at IS NOT NULL AS stands,
           coalesce(person.employment_state <> 'left' AND (person.updated_at > asked.at OR EXISTS (
               SELECT FROM employment_event AS event
               WHERE event.person_id = person.id AND event.kind <> 'leaver' AND event.recorded_at > asked.at)), false) AS overtaken
    FROM removal LEFT JOIN person ON person.id = removal.subject_id
    LEFT JOIN LATERAL (
        SELECT max(at) AS at FROM (
            SELECT request.received_at AS at FROM request
            WHERE request.opt_out_id = removal.id AND request.event_kind = 'opt_out' AND request.asked_by <> '{reconciler}'
            UNION ALL
            -- A person let the repair of somebody go on who is gone in the directory, or let a leave stand though a newer event said otherwise.
            SELECT removal.opened_at FROM finding WHERE finding.opt_out_id = removal.id AND finding.situation = 'gone_at_source'
            UNION ALL
            SELECT hold.decided_at FROM hold
            WHERE hold.reason = 'newer_employment_event' AND hold.state = 'released'
              AND (hold.target_id = removal.id OR hold.target_id IN (SELECT id FROM request WHERE request.opt_out_id = removal.id))
        ) AS by_hand
    ) AS asked ON person.employment_state <> 'left'
), here AS (
    SELECT subject_id, bool_or(in_force) AS in_force, bool_or(in_force AND job_state = 'done') AS proven,
           bool_and(overtaken) FILTER (WHERE in_force) AS overtaken,
           (array_agg(intent ORDER BY opened_at DESC, created_at DESC) FILTER (WHERE in_force))[1] AS intent,
           (array_agg(verdict ORDER BY opened_at DESC, created_at DESC))[1] AS verdict
    FROM (
        SELECT rest.*, coalesce(stands AND state IN ('open', 'closed') AND effective_at <= now()
                                AND job_state NOT IN ('cancelled', 'replaced'), false) AS in_force,
               CASE WHEN state = 'reversed' THEN 'restored' WHEN state = 'cancelled' OR job_state = 'cancelled' THEN 'declined'
                    WHEN state = 'open' AND EXISTS (SELECT FROM hold WHERE hold.target_id = rest.id AND hold.state = 'open') THEN 'stuck' END AS verdict
        FROM rest
    ) AS judged
    GROUP BY subject_id
), ahead AS (
    -- Leaves that were announced and whose day has not come.
    SELECT subject_id FROM (
        SELECT request.subject_id, request.effective_at FROM opt_out JOIN request ON request.opt_out_id = opt_out.id
        WHERE opt_out.state = 'open' AND opt_out.subject_id {subject} AND request.event_kind = 'leaver'
        UNION ALL
        SELECT request.subject_id, request.effective_at FROM request
        WHERE request.state = 'unmatched' AND request.subject_id {subject} AND request.event_kind = 'leaver'
    ) AS leave
    GROUP BY subject_id HAVING min(effective_at) > now()
), gone AS (
    SELECT id AS subject_id FROM person
    WHERE employment_state = 'left' AND id {subject} AND NOT EXISTS (SELECT FROM ahead WHERE ahead.subject_id = person.id)
), work AS (
    SELECT subject_id, bool_or(state IN ('waiting', 'running') AND effective_at <= now()) AS under_way,
           bool_or(state IN ('held', 'parked', 'dead')) AS stuck, bool_or(effective_at > now()) AS later
    FROM job
    WHERE connection_id = {here} AND subject_id {subject} AND kind <> 'plan' AND state IN ('waiting', 'running', 'held', 'parked', 'dead')
    GROUP BY subject_id
)
SELECT subject_id, out, coalesce(proven, false) AS proven, coalesce(under_way, false) AS under_way, coalesce(intent, 'remove') AS intent,
       CASE WHEN NOT out THEN 'stays' WHEN overtaken THEN 'newer_event' WHEN verdict IS NOT NULL THEN verdict WHEN stuck THEN 'stuck' WHEN later THEN 'announced' END AS hindrance
FROM (
    SELECT subject_id, gone.subject_id IS NOT NULL OR coalesce(in_force, false) AS out, proven, under_way, intent, overtaken, verdict, stuck, later
    FROM gone FULL JOIN here USING (subject_id) FULL JOIN work USING (subject_id)
) AS standing
