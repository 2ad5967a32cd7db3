"""The gateway: HTTP, the device cookie, limits and problem+json; no store, no events, no domain."""
