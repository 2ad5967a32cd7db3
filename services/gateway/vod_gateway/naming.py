"""From a name of an episode to the one key under which everything about it is kept; catalog knows it."""

import json

from vod.catalog.v1.catalog_pb2 import KIND_MOVIE, EpisodeKey
from vod.catalog.v1.catalog_service_pb2 import GetEpisodeRequest, GetSeriesRequest

from vod_gateway.clients import Backends
from vod_gateway.errors import InvalidRequest
from vod_gateway.mapping_library import parse_episode_key
from vod_rpc import Failure


async def key_of(backends: Backends, name: str) -> EpisodeKey:
    """Return a key of the episode that *name* names; only names without a season need the catalog.

    Raises:
        Failure: as catalog.GetEpisode.
    """
    key = parse_episode_key(name)
    return key or (await backends.catalog.GetEpisode(GetEpisodeRequest(ref=name))).episode.key


async def reported_key(backends: Backends, content: str, *, episode: str | None) -> EpisodeKey:
    """Return the key under which an episode of a title is kept; without *episode* that of the only one it has.

    Raises:
        InvalidRequest: the episode is one of another title, or was not named though there are several.
        Failure: as catalog.GetEpisode.
    """
    if episode is None:
        only = EpisodeKey(series_id=content, season=1, episode=1)
        found = await backends.catalog.GetEpisode(GetEpisodeRequest(key=only))
        if found.series.kind != KIND_MOVIE and found.HasField("next"):
            raise _wrong_episode("it is required: the title has several episodes")
        return found.episode.key
    key = parse_episode_key(episode)
    found = await backends.catalog.GetEpisode(GetEpisodeRequest(key=key) if key else GetEpisodeRequest(ref=episode))
    is_of_it = episode.startswith(f"{content}:")
    if not is_of_it and await _title(backends, content) != await _title(backends, found.episode.key.series_id):
        raise _wrong_episode("it is an episode of another title than contentId")
    return found.episode.key


async def _title(backends: Backends, name: str) -> str:
    """Return the one id of a title that has several names."""
    return (await backends.catalog.GetSeries(GetSeriesRequest(series_id=name))).series.id


def _wrong_episode(why: str) -> InvalidRequest:
    place = {"in": "body", "pointer": "#/episodeId", "detail": why}
    return InvalidRequest("The request is not valid: #/episodeId", metadata={"errors": json.dumps([place])})


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
