-- The correction of a ranker's curve that is in force, and when one was last fitted.
SELECT arg_max(curve_id, ts) FILTER (WHERE adopted) AS curve_id,
       arg_max(slope, ts) FILTER (WHERE adopted) AS slope,
       arg_max(intercept, ts) FILTER (WHERE adopted) AS intercept,
       max(ts) AS fitted_at
FROM curves
WHERE ranker = $ranker AND ranker_version = $ranker_version
