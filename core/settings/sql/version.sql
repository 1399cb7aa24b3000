SELECT version_id, ts, section, version, schema_version, value, changes, actor, reason, restored_from
FROM settings_versions
WHERE version_id = $version_id
