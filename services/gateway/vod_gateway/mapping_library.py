"""JSON <-> proto for titles, episodes and the admin's views."""

import re
from datetime import date
from typing import Literal

from vod.catalog.v1 import catalog_pb2
from vod.picks.v1 import events_pb2 as events
from vod.picks.v1 import picks_service_pb2 as picks
from vod.playback.v1 import playback_pb2
from vod.stream.v1 import stream_service_pb2 as stream

from vod_gateway import dto_library
from vod_gateway.mapping import candidate, enum_name, moment, pick_fields, seconds

_EPISODE_KEY = re.compile(r"(?P<series_id>.+):S(?P<season>[0-9]+)E(?P<episode>[0-9]+)")


def episode_key_text(key: catalog_pb2.EpisodeKey) -> str:
    """Return the name of an episode in URLs: `{seriesId}:S01E02`."""
    return f"{key.series_id}:S{key.season:02}E{key.episode:02}"


def parse_episode_key(name: str) -> catalog_pb2.EpisodeKey | None:
    """Return the key that a name in a URL states; None for names without a season, which catalog knows."""
    match = _EPISODE_KEY.fullmatch(name)
    if match is None:
        return None
    return catalog_pb2.EpisodeKey(
        series_id=match["series_id"], season=int(match["season"]), episode=int(match["episode"])
    )


def image_path(series: catalog_pb2.Series, kind: Literal["poster", "backdrop"]) -> str:
    """Return where a picture of a title is to be had from us."""
    return f"/v1/images/{series.id}/{kind}"


def episode(message: catalog_pb2.Episode) -> dto_library.EpisodeAnswer:
    return dto_library.EpisodeAnswer(
        series_id=message.key.series_id,
        season=message.key.season,
        episode=message.key.episode,
        position=message.position or None,
        absolute_ep=message.absolute or message.running_number or None,
        name=message.name,
        runtime_s=message.runtime.seconds or None,
        air_date=_date(message.air_date),
        episode_key=episode_key_text(message.key),
    )


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def title(message: catalog_pb2.Series) -> dto_library.Title:
    return dto_library.Title(
        series_id=message.id,
        title=message.title,
        type=enum_name(catalog_pb2.Kind, message.kind),
        year=message.year or None,
        overview=message.overview,
        poster_url=image_path(message, "poster") if message.poster_url else None,
        backdrop_url=image_path(message, "backdrop") if message.backdrop_url else None,
        genres=list(message.genres),
        season_count=message.season_count or None,
    )


def pick_record(message: picks.Pick) -> dto_library.PickRecord:
    return dto_library.PickRecord(
        **pick_fields(message),
        profile_hash=message.profile_hash,
        replaced=message.replaced,
        replaced_because=message.replaced_because or None,
    )


def reject_request(body: dto_library.RejectRequest) -> picks.RejectPickRequest:
    return picks.RejectPickRequest(
        pick_id=body.pick_id,
        reason=events.RejectionReason.Value(f"REJECTION_REASON_{body.reason.upper()}"),
        scope=events.RejectionScope.Value(f"REJECTION_SCOPE_{body.scope.upper()}"),
        explanation=body.explanation,
    )


def diff_answer(message: picks.DiffCandidatesResponse) -> dto_library.DiffAnswer:
    return dto_library.DiffAnswer(
        summary=message.summary,
        differences=[
            dto_library.Difference(name=one.name, points=one.micro_points / 10_000, reason=one.reason)
            for one in message.differences
        ],
    )


def picks_answer(
    key: catalog_pb2.EpisodeKey, made: picks.ListPicksResponse, behind: picks.ListCandidatesResponse
) -> dto_library.PicksAnswer:
    return dto_library.PicksAnswer(
        series_id=key.series_id,
        season=key.season,
        episode=key.episode,
        picks=[pick_record(one) for one in made.picks],
        candidates=[candidate(one) for one in behind.candidates],
    )


def session_status(message: playback_pb2.Session) -> dto_library.SessionStatus:
    return dto_library.SessionStatus(
        session_id=message.id,
        subject_id=message.subject_id,
        series_id=message.key.series_id,
        season=message.key.season,
        episode=message.key.episode,
        position_s=seconds(message.position),
        duration_s=seconds(message.duration),
        started_at=moment(message.start_time),
        heartbeat_at=moment(message.heartbeat_time),
    )


def pin_status(message: stream.Pin) -> dto_library.PinStatus:
    """Return what an admin may see of a pin: not its signed URL."""
    return dto_library.PinStatus(
        node=message.node,
        infohash=message.infohash,
        file_index=message.file_index,
        file_name=message.file_name,
        size_bytes=message.size_bytes,
        downloaded_bytes=message.downloaded_bytes,
        state=enum_name(stream.PinState, message.state),
        peers=message.peers,
        download_rate=message.download_rate,
        holders=[
            dto_library.Holder(name=one.name, purpose=enum_name(stream.Purpose, one.purpose)) for one in message.holders
        ],
        expires_at=moment(message.expire_time),
    )
