"""Decides which torrent, and which file in it, serve an episode for a device profile, and remembers why."""
