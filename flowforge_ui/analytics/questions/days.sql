-- On which days (UTC) did something happen, and how much?
-- Definition: events of every kind, by the day they happened.
SELECT day, count(*) AS events
FROM events
WHERE day >= $first AND day <= $last
GROUP BY day
ORDER BY day
