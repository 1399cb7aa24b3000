-- The newest key of a person for a provider, unless it was revoked or cleared.
WITH newest AS (
    SELECT key_id, master_id, sealed
    FROM provider_keys
    WHERE user_id = $user_id AND provider = $provider
    ORDER BY ts DESC, key_id DESC
    LIMIT 1
)
SELECT
    newest.key_id, newest.master_id, newest.sealed,
    max(changed.ts) FILTER (WHERE changed.event = 'used') AS used_at
FROM newest
LEFT JOIN key_events AS changed USING (key_id)
GROUP BY ALL
HAVING count(*) FILTER (WHERE changed.event IN ('replaced', 'revoked', 'cleared')) = 0
