-- Which pages are used, by how many, and how fast do they come?
-- Definitions:
--   views           page views of the route
--   users, teams    people seen signed in, teams named, by those views
--   load_p75_ms     75th percentile of the time from the start of the visit to the rendered page
SELECT
    route,
    count(*) AS views,
    count(DISTINCT CASE WHEN role <> 'anonymous' THEN distinct_id END) AS users,
    count(DISTINCT team) AS teams,
    quantile_cont(load_ms, 0.75) AS load_p75_ms
FROM events
WHERE timestamp >= $start AND timestamp < $end AND event = '$pageview' AND route IS NOT NULL
GROUP BY route
ORDER BY views DESC, route
