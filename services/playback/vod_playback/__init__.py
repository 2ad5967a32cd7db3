"""Watching: sessions, heartbeats, progress, resume, and what comes next."""
