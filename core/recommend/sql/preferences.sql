-- What each person with preferences wants of the memory.
SELECT user_id, arg_max(coalesce(learns, true), ts) AS learns,
       max(forgotten_until) AS forgotten_until,
       arg_max(favourite_domains, ts) AS favourite_domains
FROM profiles
GROUP BY user_id
