-- Latest requests with how they ended; a filter that is NULL (or an empty list) lets everything through.
WITH asked AS (
    SELECT request_id, ts, kind, user_id, decision, denied_rule, task_title, workflow_id, idempotency_key, source
    FROM requests
    WHERE ($kind IS NULL OR kind = $kind)
      AND ($user_id IS NULL OR user_id = $user_id)
      AND ($start IS NULL OR ts >= $start)
      AND ($query IS NULL OR contains(lower(task_title), lower($query)) OR request_id = lower($query))
),
told AS (
    SELECT asked.*, settlements.error_type, settlements.latency_ms,
           CASE WHEN decision = 'denied' THEN 'denied' ELSE coalesce(outcome, 'running') END AS status,
           coalesce(executions.workflow_id, asked.workflow_id, top_workflow_id) AS workflow,
           recommendations.top_confidence, cost_nano_usd
    FROM asked
    LEFT JOIN settlements ON settlements.request_id = asked.request_id
    LEFT JOIN executions ON executions.execution_id = asked.request_id
    LEFT JOIN recommendations ON recommendations.request_id = asked.request_id
)
SELECT request_id, ts, kind, status, user_id, task_title, workflow, top_confidence, latency_ms, cost_nano_usd,
       denied_rule, error_type, source, count(*) OVER () AS matching
FROM told
WHERE $status IS NULL OR status = $status
ORDER BY ts DESC, request_id DESC
LIMIT $most OFFSET $skip
