SELECT * FROM requests WHERE request_id = $request_id ORDER BY ts
