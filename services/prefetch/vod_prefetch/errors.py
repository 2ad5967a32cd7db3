"""What prefetch knows to go wrong."""


class NothingPlayable(Exception):  # noqa: N818  an answer, not an error
    """There is no release of the episode that can be played."""
