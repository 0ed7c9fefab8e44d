"""FlowForge UI: a self-hosted platform's web UI whose telemetry its users can trust."""

__version__ = "0.9.0"
