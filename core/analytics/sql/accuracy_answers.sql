-- Per span, ranker and first suggestion: how many answers, how many of them found something that fits, the sum of matches;
-- how many models gave beside which the local ranker's confidence is known, and how many that gave alone, being sure
-- enough.
WITH spans AS (SELECT unnest($starts::TIMESTAMPTZ[]) AS span_start, unnest($ends::TIMESTAMPTZ[]) AS span_end)
SELECT span_start, ranker || ' ' || ranker_version AS ranker, top_workflow_id, count(*) AS answers,
       count(*) FILTER (NOT nothing_fits) AS covered, sum(top_confidence) AS confidence, max(ts) AS last_at,
       count(local_confidence) AS compared,
       count(cascade_at) AS alone
FROM spans JOIN recommendations ON ts >= span_start AND ts < span_end
GROUP BY ALL
ORDER BY span_start
