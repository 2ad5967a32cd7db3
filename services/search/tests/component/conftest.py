"""What the tests of searching have in common."""

from vod.search.v1.search_service_pb2 import SearchReleasesRequest


def for_profile(wanted: SearchReleasesRequest, profile: str) -> SearchReleasesRequest:
    """The same search, which no cache knows."""
    other = SearchReleasesRequest()
    other.CopyFrom(wanted)
    other.profile_hash = profile
    return other
