-- Attempts that began, and of which nothing more was heard.
SELECT llm_calls_begun.*
FROM llm_calls_begun ANTI JOIN llm_calls USING (call_id)
ORDER BY ts, call_id
