SELECT request_id, ts, workflow_id, chosen_rank FROM requests WHERE recommendation_id = $request_id AND decision = 'admitted' ORDER BY ts
