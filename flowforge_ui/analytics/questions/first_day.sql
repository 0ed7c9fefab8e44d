-- On which day (UTC) of a span of time was something recorded for the first time?
-- Definition: the day of the first event there that is no leave, whose view may lie before the span; no row without one.
SELECT day
FROM events
WHERE timestamp >= $start AND timestamp < $end AND event <> '$pageleave'
ORDER BY timestamp
LIMIT 1
