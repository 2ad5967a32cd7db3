"""Domain → proto, for refs and skip ranges."""

from collections.abc import Sequence
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from vod.catalog.v1 import catalog_pb2
from vod.catalog.v1 import catalog_service_pb2 as pb2

from vod_catalog.animelists import ABSOLUTE, Spot
from vod_catalog.aniskip import SkipKind, SkipRange
from vod_catalog.domain import EpisodeKey
from vod_catalog.numbering import Place, Resolved, Verdict
from vod_catalog.overrides import Override

_VERDICTS = {
    Verdict.CERTAIN: pb2.VERDICT_CERTAIN,
    Verdict.LIKELY: pb2.VERDICT_LIKELY,
    Verdict.UNSURE: pb2.VERDICT_UNSURE,
    Verdict.UNMAPPED: pb2.VERDICT_UNMAPPED,
}
_KINDS = {
    SkipKind.OPENING: pb2.SKIP_KIND_OPENING,
    SkipKind.ENDING: pb2.SKIP_KIND_ENDING,
    SkipKind.RECAP: pb2.SKIP_KIND_RECAP,
}


def resolved_to_proto(resolved: Resolved, *, key: EpisodeKey | None) -> pb2.ResolveEpisodeResponse:
    return pb2.ResolveEpisodeResponse(
        ref=resolved.ref,
        verdict=_VERDICTS[resolved.verdict],
        confidence=resolved.confidence,
        flags=sorted(flag.value for flag in resolved.flags),
        place=_place(resolved.place) if resolved.place else None,
        candidates=[_place(one) for one in resolved.candidates],
        entries=[one.ref for one in resolved.entries],
        tvdb=[_tvdb(show, spot) for show, spot in resolved.tvdb],
        imdb_ids=resolved.imdb,
        anidb_ids=resolved.anidb,
        aliases=resolved.aliases,
        key=catalog_pb2.EpisodeKey(series_id=key.series_id, season=key.season, episode=key.episode) if key else None,
    )


def mappings_to_proto(overrides: Sequence[Override]) -> pb2.ListMappingsResponse:
    answer = pb2.ListMappingsResponse()
    for one in overrides:
        key = catalog_pb2.EpisodeKey(series_id=one.key.series_id, season=one.key.season, episode=one.key.episode)
        answer.mappings.add(ref=one.ref, key=key).set_time.FromDatetime(one.said_at)
    return answer


def skip_to_proto(found: SkipRange) -> pb2.SkipRange:
    return pb2.SkipRange(
        kind=_KINDS[found.kind],
        start=_duration(found.start),
        end=_duration(found.end),
        is_exact=found.is_exact,
        source="aniskip",
    )


def _place(place: Place) -> pb2.Place:
    return pb2.Place(
        series_id=place.series_id,
        season=place.season,
        position=place.position or 0,
        episode=place.episode or 0,
        running_number=place.absolute or 0,
    )


def _tvdb(show: int, spot: Spot) -> pb2.TvdbPlace:
    season = -1 if spot.season == ABSOLUTE else spot.season
    return pb2.TvdbPlace(series_id=f"tvdb:series:{show}", season=int(season), episode=spot.position)


def _duration(seconds: float) -> Duration:
    duration = Duration()
    duration.FromTimedelta(timedelta(seconds=seconds))
    return duration
