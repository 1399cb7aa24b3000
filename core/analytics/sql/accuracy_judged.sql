-- Answers between two times of which their person has said something: a choice that counts, or NULL for "none of them".
-- The newest word counts; of two at once it is the choice. A run is a choice too.
WITH said AS (
    SELECT recommendation_id AS request_id, user_id, ts AS said_at, workflow_id
    FROM requests
    WHERE ts >= $start AND kind = 'execute' AND decision = 'admitted'
      AND recommendation_id IS NOT NULL AND workflow_id IS NOT NULL
    UNION ALL
    SELECT request_id, user_id, ts, CASE WHEN kind = 'chosen' THEN workflow_id END
    FROM feedback
    WHERE ts >= $start AND (kind = 'dismissed' OR (kind = 'chosen' AND workflow_id IS NOT NULL))
),
heard AS (
    SELECT recommendations.rowid AS answer, ts, ranker, ranker_version, top_workflow_id, top_confidence, curve,
           local_top, local_confidence,
           cascade_at IS NOT NULL AS is_alone, said_at, workflow_id
    FROM recommendations JOIN said USING (request_id, user_id)
    WHERE ts >= $start AND ts < $end
),
judged AS MATERIALIZED (
    SELECT answer, any_value(ts) AS ts, any_value(ranker) AS ranker, any_value(ranker_version) AS ranker_version,
           any_value(top_workflow_id) AS top_workflow_id, any_value(top_confidence) AS top_confidence,
           any_value(curve) AS curve, any_value(local_top) AS local_top,
           any_value(local_confidence) AS local_confidence, any_value(is_alone) AS is_alone,
           min(said_at) FILTER (workflow_id IS NOT NULL) AS first_at,
           arg_max_null(workflow_id, 2 * epoch_us(said_at) + (workflow_id IS NOT NULL)::BIGINT) AS choice,
           min(workflow_id) <> max(workflow_id) AS reselected
    FROM heard
    GROUP BY answer
),
-- The candidates are large, and read only where they are needed: for the place of another choice than the first, and
-- for what the shipped curve said of the newest answers that another one corrected.
corrected AS (SELECT answer FROM judged WHERE curve IS NOT NULL ORDER BY ts DESC LIMIT $most_corrected),
needed AS MATERIALIZED (
    SELECT answer, choice, answer IN (FROM corrected) AS is_corrected
    FROM judged
    WHERE choice IS DISTINCT FROM top_workflow_id OR answer IN (FROM corrected)
),
detailed AS (
    SELECT answer, request_id, list_position(json_extract_string(candidates, '$[*].workflow_id'), choice) AS place,
           CASE WHEN is_corrected
                THEN coalesce((candidates ->> '$[0].raw_confidence')::DOUBLE, top_confidence)
           END AS raw_confidence
    FROM recommendations JOIN needed ON recommendations.rowid = answer
)
SELECT ts, ranker || ' ' || ranker_version AS ranker, top_workflow_id, top_confidence, choice,
       coalesce(choice = top_workflow_id, FALSE)::DOUBLE AS taken,
       CASE WHEN choice = top_workflow_id THEN 1 ELSE nullif(place, 0) END::DOUBLE AS place,
       reselected::DOUBLE AS reselected, (epoch_us(first_at) - epoch_us(ts)) / 1e6 AS seconds_to_choice,
       raw_confidence, request_id, local_confidence, coalesce(is_alone, FALSE) AS is_alone,
       CASE WHEN local_top IS NOT NULL THEN coalesce(choice = local_top, FALSE)::DOUBLE END AS local_right
FROM judged LEFT JOIN detailed USING (answer)
