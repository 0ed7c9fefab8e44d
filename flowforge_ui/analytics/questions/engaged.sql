-- How long does a page view hold attention?
-- Definition: the engaged time of a view is what its $pageleave (same view_id, whenever it came) says; the median over
-- the leaves of the span's views. A view is left once; n is the number of views that have been left.
SELECT
    count(*) AS views_left,
    quantile_cont(engaged_ms, 0.5) AS median_ms
FROM events
WHERE timestamp >= $start AND event = '$pageleave' AND engaged_ms IS NOT NULL AND view_id IN (
    SELECT view_id
    FROM events
    WHERE timestamp >= $start AND timestamp < $end AND event = '$pageview'
)
