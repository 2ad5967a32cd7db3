"""What can go wrong in sources, one class per reason."""

from vod_rpc import InvalidArgument, NotFound, Unavailable


class InvalidContent(InvalidArgument):
    """The request names no content, or no part that could be."""

    reason = "INVALID_CONTENT"


class PlayNotFound(NotFound):
    """Nobody was handed such a source, or too long ago."""

    reason = "PLAY_NOT_FOUND"


class PartNotFound(NotFound):
    """The source has no such part."""

    reason = "PART_NOT_FOUND"


class SourceGone(Unavailable):
    """The source died, and neither its spare nor a new one is well."""

    reason = "SOURCE_GONE"


class SourceRefused(Unavailable):
    """The source leads where it must not: a private address, a file, a redirect there, or more than fits."""

    reason = "SOURCE_REFUSED"
