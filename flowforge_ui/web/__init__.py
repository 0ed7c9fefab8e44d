"""Room 5: HTTP only. Parse, call a room below, serialise. No business rule lives here."""
