"""Direct sources."""
