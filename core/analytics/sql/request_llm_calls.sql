SELECT * FROM llm_calls WHERE request_id = $request_id ORDER BY ts, attempt
