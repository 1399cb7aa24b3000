SELECT * FROM llm_calls WHERE list_contains($request_ids, request_id) ORDER BY request_id, ts, attempt
