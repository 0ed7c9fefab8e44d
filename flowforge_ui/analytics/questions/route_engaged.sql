-- How long does each page hold attention?
-- Definition: engaged.sql's, by the route of the view: the median and the 75th percentile.
SELECT
    route,
    quantile_cont(engaged_ms, 0.5) AS engaged_median_ms,
    quantile_cont(engaged_ms, 0.75) AS engaged_p75_ms
FROM events
WHERE timestamp >= $start AND event = '$pageleave' AND engaged_ms IS NOT NULL AND view_id IN (
    SELECT view_id
    FROM events
    WHERE timestamp >= $start AND timestamp < $end AND event = '$pageview'
)
GROUP BY route
