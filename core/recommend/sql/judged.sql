-- A ranker's newest answers that were judged, the oldest first: what the shipped curve said of the
-- first suggestion, and whether it was the one taken in the end.
WITH said AS (
    SELECT recommendation_id AS request_id, user_id, ts, workflow_id
    FROM requests
    WHERE kind = 'execute' AND decision = 'admitted' AND recommendation_id IS NOT NULL
    UNION ALL
    SELECT request_id, user_id, ts, CASE WHEN kind = 'chosen' THEN workflow_id ELSE '' END
    FROM feedback
    WHERE kind IN ('chosen', 'dismissed')
), last AS (
    SELECT request_id, user_id, arg_max(coalesce(workflow_id, ''), ts) AS workflow_id
    FROM said
    GROUP BY request_id, user_id
), newest AS (
    SELECT ts, candidates, top_confidence, last.workflow_id = top_workflow_id AS is_right
    FROM recommendations JOIN last USING (request_id, user_id)
    WHERE ranker = $ranker AND ranker_version = $ranker_version
    ORDER BY ts DESC
    LIMIT $most
)
SELECT ts, coalesce((candidates ->> '$[0].raw_confidence')::DOUBLE, top_confidence) AS confidence, is_right
FROM newest
ORDER BY ts
