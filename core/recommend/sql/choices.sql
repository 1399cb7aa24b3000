-- What people made of recommendations after a time, the newest first; not of those who opted out, nor of what is sensitive.
WITH said AS (
    SELECT recommendation_id AS request_id, user_id, ts, 'chosen' AS kind, workflow_id
    FROM requests
    WHERE ts > $since AND kind = 'execute' AND decision = 'admitted'
      AND recommendation_id IS NOT NULL
    UNION ALL
    SELECT request_id, user_id, ts, kind, workflow_id
    FROM feedback
    WHERE ts > $since AND kind IN ('chosen', 'dismissed')
), learners AS (
    SELECT user_id, arg_max(coalesce(learns, true), ts) AS learns,
           max(forgotten_until) AS forgotten_until
    FROM profiles
    GROUP BY user_id
)
SELECT request_id, user_id, said.ts, said.kind, said.workflow_id, asked.task_title AS title, shown
FROM said
JOIN recommendations USING (request_id, user_id)
JOIN requests AS asked USING (request_id, user_id)
LEFT JOIN learners USING (user_id)
WHERE asked.sensitive IS NULL AND coalesce(learns, true)
  AND said.ts > coalesce(forgotten_until, '-infinity'::TIMESTAMPTZ)
ORDER BY said.ts DESC
LIMIT $most
