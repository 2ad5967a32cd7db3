"""Prepares the next episode while the current one is watched: its pick, its first and last bytes, its subtitles."""
