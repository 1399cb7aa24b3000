-- Every attempt to get an answer from a model, also the failed ones. Names as OpenTelemetry has them for generative AI.
CREATE TABLE llm_calls (
    call_id VARCHAR, ts TIMESTAMPTZ, request_id VARCHAR, user_id VARCHAR, purpose VARCHAR, attempt BIGINT, rung BIGINT,
    prompt_version VARCHAR, key_id VARCHAR,
    gen_ai_provider_name VARCHAR, gen_ai_request_model VARCHAR, gen_ai_request_max_tokens BIGINT,
    gen_ai_response_id VARCHAR, gen_ai_response_finish_reasons JSON,
    gen_ai_usage_input_tokens BIGINT, gen_ai_usage_cache_read_input_tokens BIGINT,
    gen_ai_usage_cache_write_input_tokens BIGINT, gen_ai_usage_output_tokens BIGINT,
    gen_ai_usage_reasoning_output_tokens BIGINT, measured BOOLEAN,
    outcome VARCHAR, error_type VARCHAR, cost_nano_usd BIGINT, cost_source VARCHAR, cost_version VARCHAR,
    bound_nano_usd BIGINT, first_token_ms DOUBLE, latency_ms DOUBLE
);
