-- Where do sessions begin and end?
-- Definition: the entry of a session is its first page view within the span, its exit the last one; each session with
-- a page view counts once as an entry and once as an exit.
SELECT
    entry,
    exit,
    count(*) AS sessions
FROM (
    SELECT argMin(route, timestamp) AS entry, argMax(route, timestamp) AS exit
    FROM events
    WHERE timestamp >= $start AND timestamp < $end AND event = '$pageview'
      AND route IS NOT NULL AND session_id IS NOT NULL
    GROUP BY session_id
) AS sessions
GROUP BY entry, exit
