-- The reconciler takes its lead from leader_lease, as the janitor does: one table, one module.
DROP TABLE leader;
