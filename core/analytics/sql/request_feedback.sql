SELECT * FROM feedback WHERE request_id = $request_id ORDER BY ts
