"""Catalog and a stream node, over gRPC."""

from datetime import timedelta
from typing import TYPE_CHECKING

from vod.catalog.v1 import catalog_pb2, catalog_service_pb2
from vod.stream.v1 import stream_service_pb2

from vod_rpc import deadline, no_deadline
from vod_subtitles.domain import EpisodeKey
from vod_subtitles.sidecars import Beside, File
from vod_subtitles.unreadable import UnreadableSubtitleError

if TYPE_CHECKING:  # asynchronous stubs are types only
    from vod.catalog.v1.catalog_service_pb2_grpc import CatalogServiceAsyncStub
    from vod.stream.v1.stream_service_pb2_grpc import StreamServiceAsyncStub

_DEADLINE = timedelta(seconds=15)
_QUICK = timedelta(seconds=5)
_HOLDER = "subtitles"


class CatalogClient:
    """What subtitles asks of catalog."""

    def __init__(self, stub: "CatalogServiceAsyncStub") -> None:
        self._stub = stub

    async def title(self, key: EpisodeKey) -> tuple[str, str]:
        """Return the name of an episode's series and its IMDb id, which may be empty.

        Raises:
            Failure: as catalog.GetEpisode.
        """
        asked = catalog_pb2.EpisodeKey(series_id=key.series_id, season=key.season, episode=key.episode)
        # A search outlives the call that began it, and so its deadline.
        with no_deadline(), deadline(_DEADLINE):
            response = await self._stub.GetEpisode(catalog_service_pb2.GetEpisodeRequest(key=asked))
        return response.series.title, response.series.external_ids.get("imdb", "")


class StreamNodeClient:
    """What subtitles asks of a stream node."""

    def __init__(self, stub: "StreamServiceAsyncStub") -> None:
        self._stub = stub

    async def describe(self, infohash: str, file_index: int) -> Beside:
        """Return a torrent's files, and what is here of one of them.

        Raises:
            Failure: as stream.DescribeTorrent.
        """
        asked = stream_service_pb2.DescribeTorrentRequest(infohash=infohash, file_index=file_index)
        with no_deadline(), deadline(_QUICK):
            response = await self._stub.DescribeTorrent(asked)
        files = tuple(File(file.index, file.path, file.size_bytes) for file in response.files)
        return Beside(file_index, files, tuple((one.begin, one.end) for one in response.present))

    async def read(self, infohash: str, file_index: int, offset: int, size: int) -> bytes:
        """Return up to *size* bytes, as many as are here and fit into an answer.

        Raises:
            Failure: as stream.ReadPresent.
        """
        asked = stream_service_pb2.ReadPresentRequest(
            infohash=infohash, file_index=file_index, offset=offset, size=size
        )
        with no_deadline(), deadline(_QUICK):
            return (await self._stub.ReadPresent(asked)).data

    async def fetch(self, infohash: str, file_index: int, *, limit: int) -> bytes:
        """Have the swarm deliver a small file, and return it.

        Raises:
            UnreadableSubtitleError: it has more than *limit* bytes.
            Failure: as stream.EnsurePin, stream.ReadPresent.
        """
        asked = stream_service_pb2.EnsurePinRequest(
            infohash=infohash,
            file_index=file_index,
            purpose=stream_service_pb2.PURPOSE_NEXT,
            holder=_HOLDER,
            wait_for=stream_service_pb2.WAIT_FOR_ENDS,
        )
        with no_deadline(), deadline(_DEADLINE):
            pin = (await self._stub.EnsurePin(asked)).pin
        try:
            if pin.size_bytes > limit:
                raise UnreadableSubtitleError(f"more than {limit} bytes")
            content = b""
            while len(content) < pin.size_bytes:
                part = await self.read(infohash, file_index, len(content), pin.size_bytes - len(content))
                if not part:
                    break
                content += part
        finally:
            with no_deadline(), deadline(_QUICK):
                await self._stub.ReleasePin(
                    stream_service_pb2.ReleasePinRequest(infohash=infohash, file_index=file_index, holder=_HOLDER)
                )
        return content if len(content) == pin.size_bytes else b""
