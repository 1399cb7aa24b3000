SELECT * FROM executions WHERE execution_id = $request_id ORDER BY ts
