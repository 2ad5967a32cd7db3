"""Subtitles between the API's JSON and RPCs."""

from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Literal

from vod.subtitles.v1 import subtitles_service_pb2 as pb2

from vod_gateway import dto_subtitles

_STATES: Mapping[int, Literal["running", "done", "failed"]] = {
    pb2.ALIGNMENT_STATE_RUNNING: "running",
    pb2.ALIGNMENT_STATE_DONE: "done",
    pb2.ALIGNMENT_STATE_FAILED: "failed",
}


def timing(offset: float | None, rate: float | None) -> pb2.Timing | None:
    """Return what a viewer says of a track's times; None where nothing is said."""
    if offset is None and rate is None:
        return None
    message = pb2.Timing(rate=rate or 1.0)
    message.offset.FromTimedelta(timedelta(milliseconds=round((offset or 0.0) * 1000)))
    return message


def track(episode_key: str, message: pb2.SubtitleTrack, *, pick_id: int | None = None) -> dto_subtitles.SubtitleTrack:
    """Return a track as JSON; its address names the pick that the list was asked for."""
    of_pick = f"&pick={pick_id}" if pick_id else ""
    return dto_subtitles.SubtitleTrack(
        id=message.id,
        lang=message.lang,
        label=message.label,
        url=f"/v1/subtitles/{episode_key}.vtt?track={message.id}{of_pick}",
        source=message.source,
        release_title=message.release_title,
        forced=message.forced,
        hearing_impaired=message.hearing_impaired,
        machine_translated=message.machine_translated,
        exact=message.exact,
        ready=message.ready,
        encoding=message.encoding,
        has_script=message.has_script,
        offset_s=message.timing.offset.ToTimedelta().total_seconds(),
        rate=message.timing.rate or 1.0,
    )


def subtitles_answer(
    episode_key: str, message: pb2.ListSubtitlesResponse, *, pick_id: int | None = None
) -> dto_subtitles.SubtitlesAnswer:
    """Return a list of tracks as JSON."""
    resets = message.quota_reset_time.ToDatetime(UTC) if message.HasField("quota_reset_time") else None
    return dto_subtitles.SubtitlesAnswer(
        tracks=[track(episode_key, one, pick_id=pick_id) for one in message.tracks],
        fonts=[_font(font) for font in message.fonts],
        quota_resets_at=resets,
    )


def _font(message: pb2.Font) -> dto_subtitles.Font:
    return dto_subtitles.Font(
        url=f"/v1/subtitles/fonts/{message.id}",
        file_name=message.file_name,
        content_type=message.content_type,
        size_bytes=message.size_bytes,
    )


def alignment(message: pb2.Alignment) -> dto_subtitles.Alignment:
    """Return a search for a timing as JSON."""
    is_done = message.HasField("timing")
    return dto_subtitles.Alignment(
        track=message.track,
        reference=message.reference,
        state=_STATES[message.state],
        progress=message.progress,
        offset_s=message.timing.offset.ToTimedelta().total_seconds() if is_done else None,
        rate=message.timing.rate if is_done else None,
        explanation=message.explanation,
    )
