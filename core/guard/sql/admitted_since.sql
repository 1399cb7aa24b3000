SELECT request_id, ts, kind, user_id, idempotency_key, fingerprint
FROM requests
WHERE decision = 'admitted' AND ts > $since
ORDER BY ts
