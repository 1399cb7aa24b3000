-- What was asked for one execution, to ask it again.
SELECT user_id, source, task_title, task_description, task_priority, user_energy, time_of_day, estimated_hours,
       recent_tasks, code_context, workflow_id, recommendation_id, chosen_rank, sensitive
FROM requests
WHERE request_id = $execution_id AND kind = 'execute' AND decision = 'admitted'
LIMIT 1
