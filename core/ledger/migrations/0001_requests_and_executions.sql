-- One row a fact; current state is the newest row. No keys, indexes or checks: events are checked before they come here.
CREATE TABLE requests (
    request_id VARCHAR, ts TIMESTAMPTZ, kind VARCHAR, user_id VARCHAR, source VARCHAR,
    decision VARCHAR, denied_rule VARCHAR, denied_used BIGINT, denied_limit BIGINT, retry_at TIMESTAMPTZ,
    attempt BIGINT, idempotency_key VARCHAR, fingerprint VARCHAR,
    task_title VARCHAR, task_description VARCHAR, task_priority VARCHAR, user_energy BIGINT,
    time_of_day VARCHAR, estimated_hours DOUBLE, recent_tasks JSON, code_context JSON,
    workflow_id VARCHAR, recommendation_id VARCHAR, chosen_rank BIGINT
);
CREATE TABLE recommendations (
    request_id VARCHAR, ts TIMESTAMPTZ, user_id VARCHAR, ranker VARCHAR, ranker_version VARCHAR,
    nothing_fits BOOLEAN, top_workflow_id VARCHAR, top_confidence DOUBLE, candidates JSON, shown JSON,
    latency_ms DOUBLE
);
CREATE TABLE executions (
    execution_id VARCHAR, ts TIMESTAMPTZ, user_id VARCHAR, workflow_id VARCHAR, workflow_version VARCHAR,
    domain VARCHAR, planner VARCHAR, planner_version VARCHAR, steps JSON, step_count BIGINT,
    planned_minutes BIGINT, break_minutes BIGINT, buffer_minutes BIGINT, notes JSON
);
CREATE TABLE step_events (
    event_id VARCHAR, ts TIMESTAMPTZ, execution_id VARCHAR, user_id VARCHAR, step BIGINT, event VARCHAR,
    actual_minutes BIGINT, title VARCHAR, description VARCHAR
);
CREATE TABLE settlements (
    request_id VARCHAR, ts TIMESTAMPTZ, kind VARCHAR, user_id VARCHAR, outcome VARCHAR, error_type VARCHAR,
    latency_ms DOUBLE, cost_nano_usd BIGINT
);
CREATE TABLE feedback (
    feedback_id VARCHAR, ts TIMESTAMPTZ, user_id VARCHAR, request_id VARCHAR, workflow_id VARCHAR, useful BOOLEAN
);
CREATE TABLE profiles (
    user_id VARCHAR, ts TIMESTAMPTZ, usual_energy BIGINT, usual_hours DOUBLE, favourite_domains JSON
);
