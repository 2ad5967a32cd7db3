"""The one failure that a worker knows: apart from the others, which would load all of gRPC with them."""


class UnreadableSubtitleError(Exception):
    """A file is no subtitle that we can read; the text says why."""
