-- Which events came in last?
-- Definition: the newest events since the given moment, in the order in which the server took them in.
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
ORDER BY received_at DESC, timestamp DESC, uuid DESC
LIMIT 100
