SELECT * FROM recommendations WHERE request_id = $request_id ORDER BY ts
