-- How often was each page seen?
-- Definition: page views of the route.
SELECT route, count(*) AS views
FROM events
WHERE timestamp >= $start AND timestamp < $end AND event = '$pageview' AND route IS NOT NULL
GROUP BY route
