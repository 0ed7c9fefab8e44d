-- Where do sessions begin and end?
-- Definition: the sessions are overview_totals' ones, in which somebody signed in saw a page; the entry of each is its
-- first page view within the span, its exit the last one, so each counts once as an entry and once as an exit.
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
    HAVING count(CASE WHEN role <> 'anonymous' THEN 1 END) > 0
) AS sessions
GROUP BY entry, exit
