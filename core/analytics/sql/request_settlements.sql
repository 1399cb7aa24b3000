SELECT * FROM settlements WHERE request_id = $request_id ORDER BY ts
