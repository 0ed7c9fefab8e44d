-- What does the store hold?
-- Definition: the number of events, how many of them are demonstration data, and when the newest was taken in.
SELECT
    count(*) AS events,
    count(*) FILTER (WHERE demo) AS demo_events,
    max(received_at) AS received_at
FROM events
