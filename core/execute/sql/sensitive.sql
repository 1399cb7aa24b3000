SELECT 1 AS found
FROM requests
WHERE request_id = $request_id AND sensitive IS NOT NULL
LIMIT 1
