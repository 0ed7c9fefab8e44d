-- How did use change from day to day (UTC)?
-- Definitions: those of overview_totals, for each day; a day without any event has no row.
SELECT
    day,
    count(DISTINCT CASE WHEN role <> 'anonymous' THEN distinct_id END) AS users,
    count(DISTINCT team) AS teams,
    count(DISTINCT CASE WHEN event = '$pageview' AND role <> 'anonymous' THEN session_id END) AS sessions,
    count(*) FILTER (WHERE event = '$pageview') AS views
FROM events
WHERE timestamp >= $start AND timestamp < $end AND event <> '$pageleave'
GROUP BY day
ORDER BY day
