-- What operators set, whole, one row a save; the newest row of a section is in force.
CREATE TABLE settings_versions (
    version_id VARCHAR, ts TIMESTAMPTZ, section VARCHAR, version BIGINT, schema_version BIGINT, value JSON,
    changes JSON, actor VARCHAR, reason VARCHAR, restored_from VARCHAR
);
