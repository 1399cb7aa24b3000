SELECT usual_energy, usual_hours, favourite_domains, learns, forgotten_until
FROM profiles
WHERE user_id = $user_id
ORDER BY ts DESC
LIMIT 1
