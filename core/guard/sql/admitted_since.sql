-- What counts towards limits; with its idempotency key where there is an answer to give again.
SELECT requests.request_id, requests.ts, requests.kind, requests.user_id, fingerprint,
       CASE WHEN requests.kind = 'execute' OR outcome = 'succeeded' THEN idempotency_key END AS idempotency_key
FROM requests LEFT JOIN settlements USING (request_id)
WHERE decision = 'admitted' AND requests.ts > $since
ORDER BY requests.ts
