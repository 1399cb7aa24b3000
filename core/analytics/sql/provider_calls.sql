-- How each provider did from $start to before $end, and when it last answered and failed, of all time. Costs of
-- unmeasured calls are upper limits; a price that nobody knows is in neither sum.
SELECT gen_ai_provider_name AS provider,
       count(*) FILTER (WHERE today) AS calls,
       count(*) FILTER (WHERE today AND outcome = 'failed') AS failures,
       quantile_cont(latency_ms, 0.5) FILTER (WHERE today AND outcome = 'succeeded') AS p50_ms,
       quantile_cont(latency_ms, 0.95) FILTER (WHERE today AND outcome = 'succeeded') AS p95_ms,
       coalesce(sum(gen_ai_usage_input_tokens) FILTER (WHERE today), 0)::BIGINT AS input_tokens,
       coalesce(sum(gen_ai_usage_output_tokens) FILTER (WHERE today), 0)::BIGINT AS output_tokens,
       coalesce(sum(cost_nano_usd) FILTER (WHERE today AND measured), 0)::BIGINT AS measured_nano_usd,
       coalesce(sum(cost_nano_usd) FILTER (WHERE today AND NOT measured), 0)::BIGINT AS unmeasured_nano_usd,
       count(*) FILTER (WHERE today AND NOT measured) AS unmeasured,
       count(*) FILTER (WHERE today AND cost_nano_usd IS NULL) AS unpriced,
       max(ts) FILTER (WHERE outcome = 'succeeded') AS answered_at,
       max(ts) FILTER (WHERE outcome = 'failed') AS failed_at,
       arg_max(error_type, ts) FILTER (WHERE outcome = 'failed') AS failure,
       arg_max(gen_ai_request_model, ts) FILTER (WHERE outcome = 'failed') AS failed_model
FROM (SELECT *, ts >= $start AND ts < $end AS today FROM llm_calls)
GROUP BY provider
ORDER BY provider
