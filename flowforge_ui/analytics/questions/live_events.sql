-- Which events came in last?
-- Definition: the newest events since the given moment, in the order in which the server took them in; of a leave and
-- the view that follows it in the same millisecond, the view is the newer one.
SELECT
    uuid,
    event,
    route,
    nav_type,
    timestamp,
    received_at,
    role,
    browser,
    origin
FROM events
WHERE timestamp >= $start
ORDER BY received_at DESC, timestamp DESC, event DESC
LIMIT 100
