-- Executions of one person, newest first, each with its settlement and plan.
WITH asked AS (
    SELECT request_id, ts, user_id, task_title, workflow_id, sensitive
    FROM requests
    WHERE kind = 'execute' AND decision = 'admitted'
      AND user_id = $user_id
    ORDER BY ts DESC
    LIMIT $most
),
settled AS (
    SELECT request_id, outcome, error_type
    FROM settlements WHERE request_id IN (SELECT request_id FROM asked)
),
planned AS (
    SELECT execution_id, domain, planner, source, steps, break_minutes, buffer_minutes, notes
    FROM executions WHERE execution_id IN (SELECT request_id FROM asked)
),
rated AS (
    SELECT request_id, arg_max(useful, ts) AS useful
    FROM feedback WHERE useful IS NOT NULL AND request_id IN (SELECT request_id FROM asked)
    GROUP BY request_id
)
SELECT asked.*, settled.outcome, settled.error_type, planned.domain, planned.planner, planned.source,
       planned.steps, planned.break_minutes, planned.buffer_minutes, planned.notes, rated.useful
FROM asked
LEFT JOIN settled ON settled.request_id = asked.request_id
LEFT JOIN planned ON planned.execution_id = asked.request_id
LEFT JOIN rated ON rated.request_id = asked.request_id
ORDER BY asked.ts DESC
