-- Whose a recommendation is, whether its person ever dismissed it, and the workflow taken since.
WITH said AS (
    SELECT kind, workflow_id, ts FROM feedback
    WHERE request_id = $request_id AND kind IN ('chosen', 'dismissed')
)
SELECT user_id,
       (SELECT count(*) > 0 FROM said WHERE kind = 'dismissed') AS dismissed,
       (SELECT nullif(arg_max(coalesce(workflow_id, ''), ts), '') FROM said) AS chosen
FROM recommendations
WHERE request_id = $request_id
LIMIT 1
