-- Every confidence curve that was fitted, the newest first, with how many answers it was in force for.
WITH used AS (SELECT curve AS curve_id, count(*) AS answers FROM recommendations WHERE curve IS NOT NULL GROUP BY curve)
SELECT curve_id, ts, ranker || ' ' || ranker_version AS ranker, slope, intercept, fitted_on, tested_on,
       log_loss_before, log_loss_after, adopted, reason, coalesce(answers, 0) AS answers
FROM curves LEFT JOIN used USING (curve_id)
ORDER BY ts DESC
