-- How many choices and dismissals there were after a time. Plain scans: it is asked every second, and mostly nothing is new.
SELECT count(*) AS judgements
FROM (
    SELECT ts
    FROM requests
    WHERE kind = 'execute' AND decision = 'admitted' AND recommendation_id IS NOT NULL
    UNION ALL
    SELECT ts
    FROM feedback
    WHERE kind IN ('chosen', 'dismissed')
)
WHERE ts > $since
