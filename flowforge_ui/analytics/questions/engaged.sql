-- How long does a page view hold attention?
-- Definition: the engaged time of a view is what its $pageleave (same view_id, whenever it came) says; the median over
-- the views of the span that have one.
SELECT
    count(*) AS views_left,
    quantile_cont(engaged_ms, 0.5) AS median_ms
FROM (
    SELECT max(engaged_ms) AS engaged_ms
    FROM events
    WHERE timestamp >= $start AND event IN ('$pageview', '$pageleave') AND view_id IS NOT NULL
    GROUP BY view_id
    HAVING count(CASE WHEN event = '$pageview' AND timestamp < $end THEN 1 END) > 0
) AS views
WHERE engaged_ms IS NOT NULL
