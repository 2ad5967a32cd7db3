"""A stream node: torrents on disk, pinned files, and signed URLs to their bytes, also while they still download."""
