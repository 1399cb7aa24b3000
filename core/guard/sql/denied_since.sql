-- Requests whose newest decision is a denial, the longest ago first, with how often they were denied.
SELECT fingerprint, arg_max(attempt, ts) AS attempt
FROM requests
WHERE ts > $since
GROUP BY fingerprint
HAVING arg_max(decision, ts) = 'denied'
ORDER BY max(ts)
