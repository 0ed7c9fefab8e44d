-- How much was the platform used in a span of time?
-- Definitions:
--   users     people (distinct_id) who saw a page or did something on the server while signed in; a visitor of the
--             login page has the role anonymous and is no user
--   teams     teams named by a page view or by an action on the server
--   sessions  sessions ($session_id) in which somebody signed in saw a page
--   views     page views, one for each $pageview
--   member_views      page views of somebody signed in, which the sessions rest on
--   acts, team_acts   the views and actions that users and teams rest on
SELECT
    count(DISTINCT CASE WHEN role <> 'anonymous' THEN distinct_id END) AS users,
    count(DISTINCT team) AS teams,
    count(DISTINCT CASE WHEN event = '$pageview' AND role <> 'anonymous' THEN session_id END) AS sessions,
    count(*) FILTER (WHERE event = '$pageview') AS views,
    count(*) FILTER (WHERE event = '$pageview' AND role <> 'anonymous') AS member_views,
    count(*) FILTER (WHERE role <> 'anonymous') AS acts,
    count(team) AS team_acts
FROM events
WHERE timestamp >= $start AND timestamp < $end AND event <> '$pageleave'
