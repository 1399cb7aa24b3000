-- The models that recommended something after a time, each with the version of its prompt.
SELECT DISTINCT ranker AS name, ranker_version AS version
FROM recommendations
WHERE ranker = 'model' AND ts > $since
ORDER BY version
