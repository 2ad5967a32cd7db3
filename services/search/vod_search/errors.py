"""What can go wrong in search, one class per reason; an indexer that fails is not an error but part of the answer."""

from vod_rpc import InvalidArgument


class InvalidSearch(InvalidArgument):
    """A search lacks what it needs: an episode key, a kind, a title."""

    reason = "INVALID_SEARCH"
