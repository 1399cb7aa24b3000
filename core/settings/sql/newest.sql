-- What is in force of each section.
SELECT version_id, ts, section, version, schema_version, value, changes, actor, reason, restored_from
FROM settings_versions
QUALIFY row_number() OVER (PARTITION BY section ORDER BY version DESC, ts DESC) = 1
