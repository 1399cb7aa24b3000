SELECT request_id, user_id, task_title FROM requests WHERE request_id IN (SELECT unnest($request_ids::VARCHAR[]))
