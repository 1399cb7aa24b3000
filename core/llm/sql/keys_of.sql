-- All keys a person ever stored, the newest first; a key ends once, by its first ending.
SELECT
    stored.key_id, stored.ts, stored.provider, stored.last_four, stored.master_id,
    max(changed.ts) FILTER (WHERE changed.event = 'used') AS used_at,
    arg_min(changed.event, changed.ts)
        FILTER (WHERE changed.event IN ('replaced', 'revoked', 'cleared')) AS ended_by,
    min(changed.ts) FILTER (WHERE changed.event IN ('replaced', 'revoked', 'cleared')) AS ended_at
FROM provider_keys AS stored
LEFT JOIN key_events AS changed USING (key_id)
WHERE stored.user_id = $user_id
GROUP BY ALL
ORDER BY stored.ts DESC, stored.key_id DESC
