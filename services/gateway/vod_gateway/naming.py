"""From a name of an episode to the one key under which everything about it is kept; catalog knows it."""

from vod.catalog.v1.catalog_pb2 import EpisodeKey
from vod.catalog.v1.catalog_service_pb2 import GetEpisodeRequest

from vod_gateway.clients import Backends
from vod_gateway.mapping_library import parse_episode_key
from vod_rpc import Failure


async def key_of(backends: Backends, name: str) -> EpisodeKey:
    """Return a key of the episode that *name* names; only names without a season need the catalog.

    Raises:
        Failure: as catalog.GetEpisode.
    """
    key = parse_episode_key(name)
    return key or (await backends.catalog.GetEpisode(GetEpisodeRequest(ref=name))).episode.key


async def kept_key_of(backends: Backends, name: str) -> EpisodeKey:
    """Return the key under which the episode is kept that *name* names; raises as `key_of`."""
    key = parse_episode_key(name)
    return await kept_key(backends, key) if key else await key_of(backends, name)


async def kept_key(backends: Backends, key: EpisodeKey) -> EpisodeKey:
    """Return the key under which an episode is kept; the one given where the catalog can't say."""
    try:
        return (await backends.catalog.GetEpisode(GetEpisodeRequest(key=key))).episode.key
    except Failure:
        return key
