-- Which pages are used, by how many, for how long, and how fast do they come?
-- Definitions:
--   views           page views of the route
--   users, teams    people seen signed in, teams named, by those views
--   engaged_*_ms    median and 75th percentile of the engaged time of those of its views that were left ($pageleave of
--                   the same view_id, whenever it came)
--   load_p75_ms     75th percentile of the time from the start of the visit to the rendered page
SELECT
    route,
    count(*) AS views,
    count(DISTINCT CASE WHEN role <> 'anonymous' THEN distinct_id END) AS users,
    count(DISTINCT team) AS teams,
    quantile_cont(left_after.engaged_ms, 0.5) AS engaged_median_ms,
    quantile_cont(left_after.engaged_ms, 0.75) AS engaged_p75_ms,
    quantile_cont(load_ms, 0.75) AS load_p75_ms
FROM events AS seen
LEFT JOIN (
    SELECT view_id, max(engaged_ms) AS engaged_ms
    FROM events
    WHERE timestamp >= $start AND event = '$pageleave' AND view_id IS NOT NULL
    GROUP BY view_id
) AS left_after ON left_after.view_id = seen.view_id
WHERE timestamp >= $start AND timestamp < $end AND event = '$pageview' AND route IS NOT NULL
GROUP BY route
ORDER BY views DESC, route
