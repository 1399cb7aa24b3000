SELECT recommendations.*, requests.task_title, requests.task_description, requests.task_priority,
       requests.user_energy, requests.time_of_day, requests.estimated_hours,
       requests.recent_tasks, requests.code_context, requests.sensitive
FROM recommendations JOIN requests USING (request_id)
WHERE request_id = $request_id AND recommendations.user_id = $user_id
LIMIT 1
