SELECT execution_id, step, event, actual_minutes, title, description, ts
FROM step_events
WHERE list_contains($execution_ids, execution_id)
ORDER BY ts, event_id
