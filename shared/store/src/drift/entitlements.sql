-- What hangs on a disabled or deleted principal, and what a live account has that should not be there.
-- Reading the big tables is left to parallel workers, which a plain INSERT would not use.
CREATE TEMP TABLE drift_entitlement ON COMMIT DROP AS
SELECT e.account_id, a.kind AS holder_kind, coalesce(a.state, 'absent') AS holder_state, e.kind, e.provider_key, e.privileged, e.seen_at
FROM observed_entitlement AS e
LEFT JOIN observed_account AS a ON a.run_no = {run} AND a.provider_id = e.account_id
WHERE e.run_no = {run} AND (a.state IS NULL OR a.state <> 'live'
    -- Administrative power of an application that nobody took out: whose it is, is asked below.
    OR (a.kind = 'application' AND e.privileged AND e.kind IN ('role', 'resource_role', 'permission')
        AND e.account_id NOT IN (SELECT provider_id FROM drift_account WHERE kind = 'application')));
INSERT INTO drift_entitlement
SELECT e.account_id, d.kind, d.state, e.kind, e.provider_key, e.privileged, e.seen_at
FROM (SELECT DISTINCT kind, provider_id, state FROM drift_account WHERE state = 'live') AS d
JOIN observed_entitlement AS e ON e.run_no = {run} AND e.account_id = d.provider_id;
ANALYZE drift_entitlement
