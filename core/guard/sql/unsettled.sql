SELECT request_id, kind, user_id
FROM requests ANTI JOIN settlements USING (request_id)
WHERE decision = 'admitted'
ORDER BY ts
