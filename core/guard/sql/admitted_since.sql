-- What counts towards limits; with its idempotency key, unless it came to nothing and may be asked again for anew. One that
-- was lost keeps it: whoever sends it again is not charged twice.
SELECT requests.request_id, requests.ts, requests.kind, requests.user_id, fingerprint,
       CASE WHEN requests.kind = 'execute' OR outcome IN ('succeeded', 'lost') THEN idempotency_key END AS idempotency_key
FROM requests LEFT JOIN settlements USING (request_id)
WHERE decision = 'admitted' AND requests.ts > $since
ORDER BY requests.ts
