"""The neighbours over gRPC: catalog, picks and the stream node."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from grpc import aio
from vod.catalog.v1 import catalog_pb2, catalog_service_pb2, catalog_service_pb2_grpc
from vod.picks.v1 import events_pb2 as picks_events_pb2
from vod.picks.v1 import picks_service_pb2, picks_service_pb2_grpc
from vod.scoring.v1 import scoring_pb2
from vod.sources.v1 import sources_service_pb2 as sources_pb2
from vod.stream.v1 import stream_service_pb2 as stream_pb2
from vod.stream.v1 import stream_service_pb2_grpc

from vod_playback.convert import (
    device_to_proto,
    duration_to_proto,
    key_from_proto,
    key_to_proto,
    source_from_proto,
    to_json,
)
from vod_playback.domain import (
    Alternative,
    DeviceProfile,
    DirectWish,
    Episode,
    EpisodeKey,
    JsonObject,
    Pin,
    Session,
    Source,
)
from vod_playback.live import Swarm

_KINDS = {
    catalog_pb2.KIND_SERIES: sources_pb2.CONTENT_KIND_SERIES,
    catalog_pb2.KIND_ANIME: sources_pb2.CONTENT_KIND_ANIME,
    catalog_pb2.KIND_MOVIE: sources_pb2.CONTENT_KIND_MOVIE,
}
_WARM = (stream_pb2.PIN_STATE_READY, stream_pb2.PIN_STATE_COMPLETE)


class CatalogClient:
    """Episodes and their order."""

    def __init__(self, channel: aio.Channel) -> None:
        self._stub = catalog_service_pb2_grpc.CatalogServiceStub(channel)

    async def episode(self, key: EpisodeKey) -> Episode:
        """Return the episode that any of its names names. Fails with NotFound."""
        answer = await self._stub.GetEpisode(catalog_service_pb2.GetEpisodeRequest(key=key_to_proto(key)))
        return Episode(
            key=key_from_proto(answer.episode.key),
            runtime=answer.episode.runtime.ToTimedelta(),
            next=key_from_proto(answer.next) if answer.HasField("next") else None,
            is_film=answer.series.kind == catalog_pb2.KIND_MOVIE,
            title=to_json(_content(answer)),
        )

    async def ending(self, key: EpisodeKey, *, duration: timedelta) -> timedelta | None:
        """Return where the ending of a file of this length begins, None if nobody knows."""
        request = catalog_service_pb2.GetSkipRangesRequest(key=key_to_proto(key), duration=duration_to_proto(duration))
        answer = await self._stub.GetSkipRanges(request)
        endings = [one for one in answer.ranges if one.kind == catalog_service_pb2.SKIP_KIND_ENDING]
        return min((one.start.ToTimedelta() for one in endings), default=None)

    async def title(self, series_id: str) -> str:
        """Return the id under which a title is kept that any of its names names. Fails with NotFound."""
        answer = await self._stub.GetSeries(catalog_service_pb2.GetSeriesRequest(series_id=series_id))
        return answer.series.id


def _content(answer: catalog_service_pb2.GetEpisodeResponse) -> sources_pb2.Content:
    key = answer.episode.key
    return sources_pb2.Content(
        series_id=key.series_id,
        season=key.season,
        episode=key.episode,
        kind=_KINDS.get(answer.series.kind, sources_pb2.CONTENT_KIND_SERIES),
        title=answer.series.title,
        year=answer.series.year,
        external_ids=answer.series.external_ids,
        other_names=[
            sources_pb2.OtherName(
                series_id=one.key.series_id,
                season=one.key.season,
                episode=one.key.episode,
                external_ids=one.external_ids,
            )
            for one in answer.other_names
        ],
        runtime=answer.episode.runtime,
    )


class PicksClient:
    """Decisions what to play."""

    def __init__(self, channel: aio.Channel) -> None:
        self._stub = picks_service_pb2_grpc.PicksServiceStub(channel)

    async def ensure(self, key: EpisodeKey, *, profile: DeviceProfile, profile_hash: str) -> Source:
        """Return what to play. Fails with NotFound (NO_PLAYABLE_RELEASE)."""
        answer = await self._stub.EnsurePick(
            picks_service_pb2.EnsurePickRequest(
                key=key_to_proto(key), device=device_to_proto(profile), profile_hash=profile_hash
            )
        )
        return source_from_proto(answer.pick)

    async def override(self, session: Session, *, infohash: str) -> Source:
        """Replace the pick of the session's episode."""
        answer = await self._stub.OverridePick(
            picks_service_pb2.OverridePickRequest(
                key=key_to_proto(session.key),
                device=device_to_proto(session.profile),
                profile_hash=session.profile_hash,
                infohash=infohash,
            )
        )
        return source_from_proto(answer.pick)

    async def reject(self, pick_id: int, *, explanation: str) -> None:
        """Say that a pick's swarm does not deliver; the next candidate that plays takes its place."""
        await self._stub.RejectPick(
            picks_service_pb2.RejectPickRequest(
                pick_id=pick_id, reason=picks_events_pb2.REJECTION_REASON_STALLED, explanation=explanation
            )
        )

    async def alternatives(self, key: EpisodeKey, *, profile_hash: str) -> Sequence[Alternative]:
        """Return what a pick was chosen from, best first."""
        answer = await self._stub.ListCandidates(
            picks_service_pb2.ListCandidatesRequest(key=key_to_proto(key), profile_hash=profile_hash)
        )
        return [
            Alternative(one.candidate.infohash, one.ranking.tier != scoring_pb2.TIER_REFUSED, release=to_json(one))
            for one in answer.candidates
        ]


class PinClient:
    """Files that are kept streamable for whoever watches them."""

    def __init__(self, channel: aio.Channel) -> None:
        self._stub = stream_service_pb2_grpc.StreamServiceStub(channel)

    async def hold(self, source: Source, *, holder: str, lasting: timedelta) -> Pin:
        """Pin the file for a session that plays it."""
        answer = await self._stub.EnsurePin(
            stream_pb2.EnsurePinRequest(
                infohash=source.infohash,
                magnet_uri=source.magnet_uri,
                file_index=source.file_index,
                purpose=stream_pb2.PURPOSE_CURRENT,
                holder=holder,
                wait_for=stream_pb2.WAIT_FOR_METADATA,
                ttl=duration_to_proto(lasting),
            )
        )
        return Pin(stream_url=answer.pin.stream_url, warm=answer.pin.state in _WARM)

    async def hold_directly(self, wish: DirectWish, *, holder: str) -> tuple[Source, Pin]:
        """Pin what a viewer named, and return which torrent and file that is."""
        answer = await self._stub.EnsurePin(
            stream_pb2.EnsurePinRequest(
                magnet_uri=wish.magnet_uri,
                torrent=wish.torrent,
                file_index=wish.file_index or 0,
                choose_file=wish.file_index is None,
                purpose=stream_pb2.PURPOSE_CURRENT,
                holder=holder,
                wait_for=stream_pb2.WAIT_FOR_METADATA,
            )
        )
        pin = answer.pin
        played = picks_service_pb2.Pick(
            infohash=pin.infohash, magnet_uri=answer.magnet_uri, file_index=pin.file_index, file_path=pin.file_name
        )
        return source_from_proto(played), Pin(stream_url=pin.stream_url, warm=pin.state in _WARM)

    async def progress(self, source: Source) -> JsonObject:
        """Return a pin as the stream node tells it. Fails with NotFound (PIN_UNKNOWN)."""
        answer = await self._stub.GetPin(
            stream_pb2.GetPinRequest(infohash=source.infohash, file_index=source.file_index)
        )
        return to_json(answer.pin)

    async def release(self, source: Source, *, holder: str, successor: str) -> None:
        """Give up a session's claim."""
        await self._stub.ReleasePin(
            stream_pb2.ReleasePinRequest(
                infohash=source.infohash,
                file_index=source.file_index,
                holder=holder,
                successor_stream_url=successor,
            )
        )

    async def session_is_over(self, holder: str) -> None:
        """Give up what a session watched; what was to come next stays pinned for a while."""
        await self._stub.ReleasePin(stream_pb2.ReleasePinRequest(holder=holder))

    async def current(self) -> Mapping[tuple[str, str, int], Swarm]:
        """Return how the files arrive that are watched, by holder, infohash and file index."""
        answer = await self._stub.ListPins(stream_pb2.ListPinsRequest())
        return {
            (holder.name, pin.infohash, pin.file_index): Swarm(
                state=pin.state,
                peers=pin.peers,
                download_rate=pin.download_rate,
                downloaded_bytes=pin.downloaded_bytes,
                size_bytes=pin.size_bytes,
            )
            for pin in answer.pins
            for holder in pin.holders
            if holder.purpose == stream_pb2.PURPOSE_CURRENT
        }
