-- Keys of people for providers: what is sealed, and all that happened to it. The one table whose rows are ever replaced:
-- sealed anew when the master key changes, each time with a row of key_events.
CREATE TABLE provider_keys (
    key_id VARCHAR, ts TIMESTAMPTZ, user_id VARCHAR, provider VARCHAR, last_four VARCHAR, actor VARCHAR,
    master_id VARCHAR, sealed VARCHAR
);
CREATE TABLE key_events (
    event_id VARCHAR, ts TIMESTAMPTZ, key_id VARCHAR, user_id VARCHAR, provider VARCHAR, event VARCHAR, actor VARCHAR,
    master_id VARCHAR
);
