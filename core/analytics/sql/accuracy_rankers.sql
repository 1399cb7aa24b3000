-- Every ranker and version that has answered, the one that answered last on top.
SELECT ranker || ' ' || ranker_version AS ranker, min(ts) AS first_at
FROM recommendations
GROUP BY ranker, ranker_version
ORDER BY max(ts) DESC
