-- Per day: what was asked, run and denied, and how people rated it.
WITH days AS (SELECT unnest($starts::TIMESTAMPTZ[]) AS day_start, unnest($ends::TIMESTAMPTZ[]) AS day_end),
asked AS (
    SELECT day_start,
           count(*) AS requests,
           count(*) FILTER (kind = 'execute' AND decision = 'admitted') AS executions,
           count(*) FILTER (decision = 'denied') AS denials
    FROM days JOIN requests ON ts >= day_start AND ts < day_end
    WHERE ts >= list_min($starts::TIMESTAMPTZ[])
    GROUP BY day_start
),
newest AS (
    SELECT request_id, arg_max(useful, ts) AS useful, max(ts) AS ts
    FROM feedback WHERE useful IS NOT NULL AND ts >= list_min($starts::TIMESTAMPTZ[])
    GROUP BY request_id
),
rated AS (
    SELECT day_start, count(*) AS ratings, count(*) FILTER (useful) AS useful
    FROM days JOIN newest ON ts >= day_start AND ts < day_end
    GROUP BY day_start
)
SELECT days.day_start, coalesce(requests, 0) AS requests, coalesce(executions, 0) AS executions,
       coalesce(denials, 0) AS denials, coalesce(ratings, 0) AS ratings, coalesce(useful, 0) AS useful
FROM days
LEFT JOIN asked USING (day_start)
LEFT JOIN rated USING (day_start)
ORDER BY day_start
