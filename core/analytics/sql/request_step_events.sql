SELECT * FROM step_events WHERE execution_id = $request_id ORDER BY ts
