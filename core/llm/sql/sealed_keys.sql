-- Every key of which something sealed is kept, and whether it has ended.
SELECT
    stored.key_id, stored.ts, stored.user_id, stored.provider, stored.last_four, stored.actor,
    stored.master_id, stored.sealed,
    count(*) FILTER (WHERE changed.event IN ('replaced', 'revoked', 'cleared')) > 0 AS has_ended
FROM provider_keys AS stored
LEFT JOIN key_events AS changed USING (key_id)
WHERE stored.sealed IS NOT NULL
GROUP BY ALL
ORDER BY stored.ts, stored.key_id
