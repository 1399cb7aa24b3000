-- Per hour since $start: admitted recommendations and executions, and denials.
SELECT (epoch_us(ts) - epoch_us($start::TIMESTAMPTZ)) // 3600000000 AS hour,
       count(*) FILTER (kind = 'recommend' AND decision = 'admitted') AS recommendations,
       count(*) FILTER (kind = 'execute' AND decision = 'admitted') AS executions,
       count(*) FILTER (decision = 'denied') AS denials
FROM requests
WHERE ts >= $start AND ts < $end
GROUP BY hour
ORDER BY hour
