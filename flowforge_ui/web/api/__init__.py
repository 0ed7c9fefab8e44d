"""The JSON API: one table of endpoints, from which routes, guards and the OpenAPI document come."""
