-- How many people are using the platform right now?
-- Definition: people of whom any event, a leave included, happened while signed in since the given moment.
SELECT count(DISTINCT CASE WHEN role <> 'anonymous' THEN distinct_id END) AS users
FROM events
WHERE timestamp >= $start
