-- All facts of one execution; plain scans, as this is read whenever somebody looks or ticks.
SELECT 'asked' AS fact, request_id, ts, user_id, task_title, workflow_id, sensitive
FROM requests
WHERE request_id = $execution_id AND kind = 'execute' AND decision = 'admitted'
UNION ALL BY NAME
SELECT 'settled' AS fact, ts, outcome, error_type
FROM settlements WHERE request_id = $execution_id
UNION ALL BY NAME
SELECT 'planned' AS fact, ts, domain, planner, source, steps, break_minutes, buffer_minutes, notes
FROM executions WHERE execution_id = $execution_id
UNION ALL BY NAME
SELECT 'rated' AS fact, ts, useful
FROM feedback WHERE request_id = $execution_id AND useful IS NOT NULL
UNION ALL BY NAME
SELECT 'step' AS fact, ts, event_id, step, event, actual_minutes, title, description
FROM step_events WHERE execution_id = $execution_id
