-- Plans made per domain and workflow between two times, with what became of their ratings.
WITH rated AS (SELECT request_id, arg_max(useful, ts) AS useful FROM feedback WHERE useful IS NOT NULL AND ts >= $start GROUP BY request_id)
SELECT domain, workflow_id, count(*) AS executions, count(useful) AS ratings, count(*) FILTER (useful) AS useful
FROM executions LEFT JOIN rated ON rated.request_id = executions.execution_id
WHERE ts >= $start AND ts < $end
GROUP BY domain, workflow_id
ORDER BY executions DESC, workflow_id
