"""The neighbours over gRPC: catalog, search, scoring and the stream node."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message
from grpc import aio
from vod.catalog.v1 import catalog_pb2, catalog_service_pb2, catalog_service_pb2_grpc
from vod.scoring.v1 import scoring_pb2, scoring_service_pb2, scoring_service_pb2_grpc
from vod.search.v1 import search_service_pb2, search_service_pb2_grpc
from vod.stream.v1 import stream_service_pb2, stream_service_pb2_grpc

from vod_picks.choosing import Comparison, Found
from vod_picks.domain import (
    Before,
    Candidate,
    Episode,
    EpisodeKey,
    Evidence,
    JsonObject,
    Kind,
    Profile,
    Ranking,
    Reason,
    Release,
    Tier,
    TorrentFile,
)
from vod_picks.errors import NodeLate, SwarmHostile, SwarmSilent
from vod_picks.race import Sighting
from vod_rpc import DeadlineExceeded, FailedPrecondition, Failure, InvalidArgument

_KINDS = {catalog_pb2.KIND_SERIES: Kind.SERIES, catalog_pb2.KIND_ANIME: Kind.ANIME, catalog_pb2.KIND_MOVIE: Kind.MOVIE}
_KIND_NUMBERS = {kind: number for number, kind in _KINDS.items()}
_TIERS = {
    scoring_pb2.TIER_OK: Tier.OK,
    scoring_pb2.TIER_UNVERIFIED: Tier.UNVERIFIED,
    scoring_pb2.TIER_LAST_RESORT: Tier.LAST_RESORT,
    scoring_pb2.TIER_REFUSED: Tier.REFUSED,
}
_CODECS = {
    scoring_pb2.CODEC_H264: "h264",
    scoring_pb2.CODEC_HEVC: "hevc",
    scoring_pb2.CODEC_AV1: "av1",
    scoring_pb2.CODEC_VP9: "vp9",
    scoring_pb2.CODEC_MPEG4: "mpeg4",
    scoring_pb2.CODEC_MPEG2: "mpeg2",
}


_SILENT = "SWARM_SILENT"
_SHORTEST = 0.02
"""Seconds: faster than this, nobody can say how fast."""
_LIST_SECONDS = 1.0


def to_json(message: Message) -> JsonObject:
    """Return a message in its JSON form, under the names of the proto."""
    document: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True)
    return document


def key_from_proto(key: catalog_pb2.EpisodeKey) -> EpisodeKey:
    return EpisodeKey(series_id=key.series_id, season=key.season, episode=key.episode)


def key_to_proto(key: EpisodeKey) -> catalog_pb2.EpisodeKey:
    return catalog_pb2.EpisodeKey(series_id=key.series_id, season=key.season, episode=key.episode)


class CatalogClient:
    """What episodes are called."""

    def __init__(self, channel: aio.Channel) -> None:
        self._stub = catalog_service_pb2_grpc.CatalogServiceStub(channel)

    async def episode(self, key: EpisodeKey) -> Episode:
        """Return an episode with its series' titles. Fails with NotFound."""
        answer = await self._stub.GetEpisode(catalog_service_pb2.GetEpisodeRequest(key=key_to_proto(key)))
        series, episode = answer.series, answer.episode
        return Episode(
            key=key,
            kind=_KINDS.get(series.kind, Kind.SERIES),
            titles=(series.title, *series.aliases),
            year=series.year,
            absolute=episode.absolute,
            name=episode.name,
            runtime=episode.runtime.ToTimedelta(),
            air_date=date.fromisoformat(episode.air_date) if episode.air_date else None,
            external_ids=dict(series.external_ids),
            season_size=answer.season_episode_count,
            previous=key_from_proto(answer.previous) if answer.HasField("previous") else None,
        )


class SearchClient:
    """Who has an episode."""

    def __init__(self, channel: aio.Channel) -> None:
        self._stub = search_service_pb2_grpc.SearchServiceStub(channel)

    async def releases(self, episode: Episode, *, profile_hash: str) -> Found:
        """Return the releases that claim to be the episode, one per infohash."""
        answer = await self._stub.SearchReleases(
            search_service_pb2.SearchReleasesRequest(
                key=key_to_proto(episode.key),
                kind=_KIND_NUMBERS[episode.kind],
                titles=episode.titles,
                year=episode.year,
                absolute=episode.absolute,
                profile_hash=profile_hash,
                air_date=episode.air_date.isoformat() if episode.air_date else "",
                external_ids=episode.external_ids or {},
            )
        )
        return Found(
            # Postgres can't store NUL, and no honest name has one.
            releases=[_release(one) for one in answer.releases if "\0" not in one.candidate.title],
            unavailable=[(one.indexer, one.reason) for one in answer.unavailable],
        )


class ScoringClient:
    """Which release is best."""

    def __init__(self, channel: aio.Channel) -> None:
        self._stub = scoring_service_pb2_grpc.ScoringServiceStub(channel)

    async def rank(
        self, releases: Sequence[Release], *, episode: Episode, profile: Profile, before: Before
    ) -> Mapping[str, Ranking]:
        """Return a ranking per infohash, in order, best first."""
        request = scoring_service_pb2.RankReleasesRequest(
            wanted=_wanted(episode, before),
            device=ParseDict(profile.capabilities, scoring_pb2.DeviceProfile()),
            candidates=[ParseDict(release.announced, scoring_pb2.Candidate()) for release in releases],
        )
        answer = await self._stub.RankReleases(request)
        return {one.infohash: _ranking(one) for one in answer.ranked}

    async def diff(self, first: Candidate, second: Candidate) -> Comparison:
        """Say why one candidate goes before another."""
        request = scoring_service_pb2.DiffReleasesRequest(first=_placed(first), second=_placed(second))
        answer = await self._stub.DiffReleases(request)
        return Comparison(answer.summary, [(one.name, one.micro_points, one.reason) for one in answer.differences])


def _placed(candidate: Candidate) -> scoring_service_pb2.PlacedRelease:
    return scoring_service_pb2.PlacedRelease(
        candidate=ParseDict(candidate.release.announced, scoring_pb2.Candidate(), ignore_unknown_fields=True),
        ranked=ParseDict(candidate.ranking.explanation, scoring_pb2.RankedCandidate(), ignore_unknown_fields=True),
    )


class SwarmClient:
    """What is in a torrent."""

    def __init__(self, channel: aio.Channel) -> None:
        self._stub = stream_service_pb2_grpc.StreamServiceStub(channel)

    async def files(self, release: Release, *, within: timedelta) -> Sequence[TorrentFile]:
        """Return the torrent's files. Raises SwarmSilent when nobody tells in time."""
        request = stream_service_pb2.ProbeSwarmRequest(infohash=release.infohash, magnet_uri=release.magnet_uri)
        answer = await self._probe(request, within)
        return [TorrentFile(index=one.index, path=one.path, size_bytes=one.size_bytes) for one in answer.files]

    async def sample(
        self, release: Release, file: TorrentFile, *, size: int, enough_rate: int, within: timedelta
    ) -> Sighting:
        """Fetch a file's first bytes. Raises SwarmSilent when the node can't even begin in time."""
        request = stream_service_pb2.ProbeSwarmRequest(
            infohash=release.infohash,
            magnet_uri=release.magnet_uri,
            file_index=file.index,
            sample_bytes=size,
            enough_rate=enough_rate,
        )
        answer = await self._probe(request, within)
        seconds = max(answer.elapsed.ToTimedelta().total_seconds(), _SHORTEST)
        return Sighting(
            peers=answer.peers,
            bytes_per_second=max(round(answer.received_bytes / seconds), answer.download_rate),
            complete=answer.sampled,
            here_before=answer.sampled and not answer.received_bytes,
        )

    async def held(self) -> Set[str]:
        """Return the infohashes that the node has data of; empty if it does not tell."""
        try:
            answer = await self._stub.ListPins(stream_service_pb2.ListPinsRequest(), timeout=_LIST_SECONDS)
        except Failure:
            return frozenset()
        return {pin.infohash for pin in answer.pins if pin.downloaded_bytes}

    async def _probe(
        self, request: stream_service_pb2.ProbeSwarmRequest, within: timedelta
    ) -> stream_service_pb2.ProbeSwarmResponse:
        try:
            return await self._stub.ProbeSwarm(request, timeout=within.total_seconds())
        except DeadlineExceeded as error:
            raise (SwarmSilent if error.reason == _SILENT else NodeLate) from error
        except (FailedPrecondition, InvalidArgument) as error:
            raise SwarmHostile(str(error)) from error


def with_evidence(release: Release, evidence: Evidence) -> Release:
    """Return *release* with what is known beside what was announced, for scoring and for people."""
    known = ParseDict(release.announced, scoring_pb2.Candidate())
    known.ClearField("trust")  # a release that was kept has what was known then
    known.ClearField("observed")
    if evidence.trust is not None:
        known.trust = evidence.trust
    if evidence.peers is not None:
        known.observed.peers = evidence.peers
        known.observed.bytes_per_second = evidence.bytes_per_second
        known.observed.age.FromTimedelta(evidence.age)
    known.held = evidence.held
    known.blocked = evidence.blocked
    return replace(release, announced=to_json(known))


def _wanted(episode: Episode, before: Before) -> scoring_pb2.Wanted:
    wanted = scoring_pb2.Wanted(
        titles=episode.titles,
        year=episode.year,
        movie=episode.kind is Kind.MOVIE,
        season=episode.key.season,
        episode=episode.key.episode,
        absolute=episode.absolute,
        season_episode_count=episode.season_size,
        previous_group=before.group,
        previous_infohash=before.infohash,
        air_date=episode.air_date.isoformat() if episode.air_date else "",
    )
    wanted.runtime.FromTimedelta(episode.runtime)
    return wanted


def _release(release: search_service_pb2.Release) -> Release:
    traits = release.candidate.traits
    return Release(
        infohash=release.candidate.infohash.lower(),
        title=release.candidate.title,
        magnet_uri=release.magnet_uri,
        group=traits.group,
        resolution=f"{traits.height}p" if traits.height else "",
        codec=_CODECS.get(traits.codec, ""),
        announced=to_json(release.candidate),
    )


def _ranking(ranked: scoring_pb2.RankedCandidate) -> Ranking:
    tier = _TIERS.get(ranked.tier, Tier.UNVERIFIED)
    gates = tuple(Reason(gate.code, gate.reason) for gate in ranked.gates)
    if tier is Tier.REFUSED and not gates:
        gates = (Reason("REFUSED", "refused by the scoring policy"),)
    return Ranking(tier=tier, gates=gates, explanation=to_json(ranked))
