"""proto → JSON for refs and for what there is to watch."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from google.protobuf.timestamp_pb2 import Timestamp
from vod.catalog.v1 import catalog_pb2
from vod.catalog.v1 import catalog_service_pb2 as catalog
from vod.sources.v1 import sources_service_pb2 as sources_pb2

from vod_gateway import dto_content
from vod_gateway.mapping import enum_name, moment
from vod_gateway.mapping_library import episode_key_text, image_path

SOURCE_KINDS = {
    catalog_pb2.KIND_SERIES: sources_pb2.CONTENT_KIND_SERIES,
    catalog_pb2.KIND_ANIME: sources_pb2.CONTENT_KIND_ANIME,
    catalog_pb2.KIND_MOVIE: sources_pb2.CONTENT_KIND_MOVIE,
}

_FIRST_DAY, _LAST_DAY = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
"""What a Timestamp can carry in every zone."""
_TYPES: Mapping[catalog_pb2.Kind.ValueType, Literal["series", "anime", "movie"]] = {
    catalog_pb2.KIND_SERIES: "series",
    catalog_pb2.KIND_ANIME: "anime",
    catalog_pb2.KIND_MOVIE: "movie",
}
_SOURCE_TYPES: Mapping[sources_pb2.SourceType.ValueType, Literal["hls", "mp4", "torrent"]] = {
    sources_pb2.SOURCE_TYPE_HLS: "hls",
    sources_pb2.SOURCE_TYPE_MP4: "mp4",
    sources_pb2.SOURCE_TYPE_TORRENT: "torrent",
}
_SKIPS: Mapping[catalog.SkipKind.ValueType, Literal["opening", "ending", "recap"]] = {
    catalog.SKIP_KIND_OPENING: "opening",
    catalog.SKIP_KIND_ENDING: "ending",
    catalog.SKIP_KIND_RECAP: "recap",
}


def reported_at(at: datetime | None) -> Timestamp | None:
    """Return when something is said to have been watched; an impossible time stays one, and playback refuses it."""
    if at is None:
        return None
    message = Timestamp()
    message.FromDatetime(min(max(at, _FIRST_DAY), _LAST_DAY))
    return message


def alias(message: catalog.ResolveEpisodeResponse) -> dto_content.AliasAnswer:
    return dto_content.AliasAnswer(
        ref=message.ref,
        verdict=enum_name(catalog.Verdict, message.verdict),
        confidence=round(message.confidence, 3),
        flags=list(message.flags),
        place=_place(message.place) if message.HasField("place") else None,
        candidates=[_place(one) for one in message.candidates],
        entries=list(message.entries),
        tvdb=[
            dto_content.TvdbPlace(series_id=one.series_id, season=one.season, episode=one.episode)
            for one in message.tvdb
        ],
        imdb_ids=list(message.imdb_ids),
        anidb_ids=list(message.anidb_ids),
        aliases=list(message.aliases),
        episode_key=episode_key_text(message.key) if message.HasField("key") else None,
    )


def mappings(message: catalog.ListMappingsResponse) -> dto_content.MappingsAnswer:
    return dto_content.MappingsAnswer(
        mappings=[
            dto_content.AliasMapping(
                ref=one.ref,
                series_id=one.key.series_id,
                season=one.key.season,
                episode=one.key.episode,
                set_at=moment(one.set_time),
            )
            for one in message.mappings
        ]
    )


def other_names(message: catalog.GetEpisodeResponse) -> list[sources_pb2.OtherName]:
    return [
        sources_pb2.OtherName(
            series_id=one.key.series_id,
            season=one.key.season,
            episode=one.key.episode,
            external_ids=one.external_ids,
        )
        for one in message.other_names
    ]


def _place(message: catalog.Place) -> dto_content.Place:
    return dto_content.Place(
        series_id=message.series_id,
        season=message.season,
        position=message.position or None,
        episode=message.episode or None,
        absolute_ep=message.running_number or None,
    )


def content(message: catalog_pb2.Series) -> dto_content.Content:
    tmdb = message.external_ids.get("tmdb", "")
    return dto_content.Content(
        id=message.id,
        tmdb_id=int(tmdb) if tmdb.isdecimal() else None,
        title=message.title,
        type=_TYPES.get(message.kind, "series"),
        backdrop_url=image_path(message, "backdrop") if message.backdrop_url else "",
        poster_url=image_path(message, "poster") if message.poster_url else "",
        genres=list(message.genres),
        year=message.year,
    )


def source(message: sources_pb2.Source) -> dto_content.StreamSource:
    return dto_content.StreamSource(
        url=f"/v1/play/{message.path}",
        quality=message.quality,
        type=_SOURCE_TYPES.get(message.type, "mp4"),
        provider=message.provider,
        healthy=message.is_healthy,
        fits=message.fits,
        bitrate=message.bitrate or None,
        codec=message.codec or None,
    )


def watch(
    found: catalog.GetEpisodeResponse,
    *,
    key: catalog_pb2.EpisodeKey,
    sources: sources_pb2.ListSourcesResponse,
    skips: catalog.GetSkipRangesResponse,
    languages: Sequence[str],
) -> dto_content.WatchAnswer:
    name = episode_key_text(key)
    return dto_content.WatchAnswer(
        content=content(found.series),
        episode=dto_content.ContentEpisode(
            id=name,
            content_id=key.series_id,
            season=key.season,
            episode_number=key.episode,
            title=found.episode.name,
        ),
        next_episode_id=episode_key_text(found.next) if found.HasField("next") else None,
        sources=[source(one) for one in sources.sources],
        # Looked for when a player asks for them.
        subtitles=[
            dto_content.SubtitleTrack(lang=lang, url=f"/v1/subtitles/{name}.vtt?lang={lang}", label=lang)
            for lang in languages
        ],
        skip_ranges=[
            dto_content.SkipRange(
                type=_SKIPS[one.kind],
                start=one.start.ToTimedelta().total_seconds(),
                end=one.end.ToTimedelta().total_seconds(),
                exact=one.is_exact,
                source=one.source,
            )
            for one in skips.ranges
            if one.kind in _SKIPS
        ],
    )
