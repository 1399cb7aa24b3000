SELECT usual_energy, usual_hours, favourite_domains
FROM profiles
WHERE user_id = $user_id
ORDER BY ts DESC
LIMIT 1
