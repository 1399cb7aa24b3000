SELECT user_id, max(ts) AS last_seen
FROM (
    SELECT user_id, ts FROM profiles
    UNION ALL
    (SELECT user_id, ts FROM requests ORDER BY ts DESC LIMIT 5000)
)
GROUP BY user_id
ORDER BY last_seen DESC
LIMIT 50
