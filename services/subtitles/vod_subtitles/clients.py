"""Catalog, over gRPC."""

from datetime import timedelta
from typing import TYPE_CHECKING

from vod.catalog.v1 import catalog_pb2, catalog_service_pb2

from vod_rpc import deadline, no_deadline
from vod_subtitles.domain import EpisodeKey

if TYPE_CHECKING:  # the asynchronous stub is a type only
    from vod.catalog.v1.catalog_service_pb2_grpc import CatalogServiceAsyncStub

_DEADLINE = timedelta(seconds=15)


class CatalogClient:
    """What subtitles asks of catalog."""

    def __init__(self, stub: "CatalogServiceAsyncStub") -> None:
        self._stub = stub

    async def title(self, key: EpisodeKey) -> str:
        """Return the name of an episode's series.

        Raises:
            Failure: as catalog.GetEpisode.
        """
        asked = catalog_pb2.EpisodeKey(series_id=key.series_id, season=key.season, episode=key.episode)
        # A search outlives the call that began it, and so its deadline.
        with no_deadline(), deadline(_DEADLINE):
            response = await self._stub.GetEpisode(catalog_service_pb2.GetEpisodeRequest(key=asked))
        return response.series.title
