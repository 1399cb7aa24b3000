-- For each confidence: the answers by models at which the local ranker was at least that sure, and what they took. Costs
-- of unmeasured answers are upper limits; a cost that nobody knows is in neither sum.
WITH thresholds AS (SELECT unnest($thresholds::DOUBLE[]) AS threshold),
answered AS MATERIALIZED (
    SELECT local_confidence, latency_ms, (source ->> '$.cost_nano_usd')::BIGINT AS cost_nano_usd,
           coalesce((source ->> '$.is_measured')::BOOLEAN, TRUE) AS is_measured
    FROM recommendations
    WHERE ts >= $start AND ts < $end AND local_confidence >= list_min($thresholds::DOUBLE[])
      AND ranker || ' ' || ranker_version IN (SELECT unnest($rankers::VARCHAR[]))
      AND top_workflow_id IN (SELECT unnest($workflow_ids::VARCHAR[]))
)
SELECT threshold, count(local_confidence) AS answers,
       coalesce(sum(cost_nano_usd) FILTER (WHERE is_measured), 0)::BIGINT AS measured_nano_usd,
       coalesce(sum(cost_nano_usd) FILTER (WHERE NOT is_measured), 0)::BIGINT AS unmeasured_nano_usd,
       count(local_confidence) FILTER (WHERE cost_nano_usd IS NULL) AS unpriced,
       quantile_cont(latency_ms, 0.5) AS p50_ms
FROM thresholds LEFT JOIN answered ON local_confidence >= threshold
GROUP BY threshold
ORDER BY threshold
