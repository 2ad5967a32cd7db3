"""What can go wrong in catalog, one class per reason."""

from vod_rpc import FailedPrecondition, InvalidArgument, NotFound, Unavailable


class InvalidSeriesId(InvalidArgument):
    """The id is of no form that we know."""

    reason = "INVALID_SERIES_ID"


class InvalidReference(InvalidArgument):
    """The ref of an episode is of no form that we know."""

    reason = "INVALID_REFERENCE"


class MappingNotFound(NotFound):
    """The operator said nothing of where the episode belongs."""

    reason = "MAPPING_NOT_FOUND"


class ImageNotFound(NotFound):
    """The title has no such image."""

    reason = "IMAGE_NOT_FOUND"


class InvalidQuery(InvalidArgument):
    """A search asks for too much."""

    reason = "INVALID_QUERY"


class SeriesNotFound(NotFound):
    """The provider does not know the title."""

    reason = "SERIES_NOT_FOUND"


class EpisodeNotFound(NotFound):
    """The title is known, the episode is not."""

    reason = "EPISODE_NOT_FOUND"


class CatalogNotConfigured(FailedPrecondition):
    """The provider needs a key that the operator has not given, or refuses the given one."""

    reason = "CATALOG_NOT_CONFIGURED"


class UpstreamUnavailable(Unavailable):
    """A provider does not answer, answers nonsense, or asks us to wait."""

    reason = "UPSTREAM_UNAVAILABLE"
