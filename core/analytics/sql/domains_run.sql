-- The domain that each workflow was last run in, also of those that are not loaded any more.
SELECT workflow_id, arg_max(domain, ts) AS domain FROM executions GROUP BY workflow_id
