"""Subtitles between the API's JSON and RPCs."""

from datetime import UTC, timedelta

from vod.subtitles.v1 import subtitles_service_pb2 as pb2

from vod_gateway import dto_subtitles


def timing(offset: float | None, rate: float | None) -> pb2.Timing | None:
    """Return what a viewer says of a track's times; None where nothing is said."""
    if offset is None and rate is None:
        return None
    message = pb2.Timing(rate=rate or 1.0)
    message.offset.FromTimedelta(timedelta(milliseconds=round((offset or 0.0) * 1000)))
    return message


def track(episode_key: str, message: pb2.SubtitleTrack) -> dto_subtitles.SubtitleTrack:
    """Return a track as JSON."""
    return dto_subtitles.SubtitleTrack(
        id=message.id,
        lang=message.lang,
        label=message.label,
        url=f"/v1/subtitles/{episode_key}.vtt?track={message.id}",
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


def subtitles_answer(episode_key: str, message: pb2.ListSubtitlesResponse) -> dto_subtitles.SubtitlesAnswer:
    """Return a list of tracks as JSON."""
    resets = message.quota_reset_time.ToDatetime(UTC) if message.HasField("quota_reset_time") else None
    return dto_subtitles.SubtitlesAnswer(
        tracks=[track(episode_key, one) for one in message.tracks], quota_resets_at=resets
    )
