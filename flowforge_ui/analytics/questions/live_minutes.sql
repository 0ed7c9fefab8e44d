-- What happened in each of the last minutes?
-- Definition: page views, and people who saw a page or did something while signed in, by the minute it happened.
SELECT
    date_trunc('minute', timestamp) AS minute,
    count(*) FILTER (WHERE event = '$pageview') AS views,
    count(DISTINCT CASE WHEN role <> 'anonymous' THEN distinct_id END) AS users
FROM events
WHERE timestamp >= $start AND timestamp < $end AND event <> '$pageleave'
GROUP BY minute
