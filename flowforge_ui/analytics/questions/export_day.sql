-- All events of one day (UTC), in the order in which they happened.
SELECT *
FROM events
WHERE day = $day
ORDER BY timestamp, uuid
