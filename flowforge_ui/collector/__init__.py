"""Room 3: receives core pings, keeps a keyed hash of the sender's address (never the address), counts the fleet."""
