"""Rows of the schema and what they mean: shared by all that reads or writes sessions."""

from typing import Any

import asyncpg

from vod_playback.domain import (
    DeviceProfile,
    Direct,
    EpisodeKey,
    JsonObject,
    Session,
    Source,
    State,
    direct_source,
)

COLUMNS = (
    "id, device_id, request_id, subject_id, series_id, season, episode, state, profile, profile_hash, pick, "
    "next_series_id, next_season, next_episode, next_ready, next_taken, subtitle_languages, position, duration, "
    "started_at, heartbeat_at, switches, switched_at, switch_reason, failure, stalled_at, stall_reason, "
    "waits_since"
)
"""The columns of `sessions` in the order of `values_of`; `session_of` wants them all."""
PLACES = ", ".join(f"${number}" for number in range(1, COLUMNS.count(",") + 2))
"""A parameter for each of them."""


def key_values(key: EpisodeKey) -> tuple[str, int, int]:
    """Return what names an episode, as three columns."""
    return key.series_id, key.season, key.episode


def values_of(session: Session) -> tuple[Any, ...]:
    """Return a session as values of COLUMNS."""
    following = key_values(session.next) if session.next else (None, None, None)
    return (
        session.id,
        session.device_id,
        session.request_id,
        session.subject_id,
        *key_values(session.key),
        session.state.value,
        session.profile.stated(),
        session.profile_hash,
        session.source.kept(),
        *following,
        session.next_ready,
        session.next_taken,
        list(session.subtitle_languages),
        session.position,
        session.duration,
        session.started_at,
        session.heartbeat_at,
        session.switches,
        session.switched_at,
        session.switch_reason,
        session.failure,
        session.stalled_at,
        session.stall_reason,
        session.waits_since,
    )


def maybe_session(row: asyncpg.Record | None) -> Session | None:
    """Return the session of a row, None for none."""
    return session_of(row) if row else None


def session_of(row: asyncpg.Record) -> Session:
    """Return the session of a row that has all COLUMNS."""
    following = (row["next_series_id"], row["next_season"], row["next_episode"])
    return Session(
        id=row["id"],
        device_id=row["device_id"],
        request_id=row["request_id"],
        subject_id=row["subject_id"],
        key=EpisodeKey(row["series_id"], row["season"], row["episode"]),
        state=State(row["state"]),
        profile=profile_of(row["profile"]),
        profile_hash=row["profile_hash"],
        source=source_of(row["pick"]),
        next=EpisodeKey(*following) if following[0] else None,
        next_ready=row["next_ready"],
        next_taken=row["next_taken"],
        subtitle_languages=tuple(row["subtitle_languages"]),
        position=row["position"],
        duration=row["duration"],
        started_at=row["started_at"],
        heartbeat_at=row["heartbeat_at"],
        switches=row["switches"],
        switched_at=row["switched_at"],
        switch_reason=row["switch_reason"],
        failure=row["failure"],
        stalled_at=row["stalled_at"],
        stall_reason=row["stall_reason"],
        waits_since=row["waits_since"],
    )


def profile_of(document: JsonObject) -> DeviceProfile:
    """Return a stored profile."""
    return DeviceProfile(**{**document, "audio_languages": tuple(document.get("audio_languages", ()))})


def source_of(kept: JsonObject) -> Source:
    """Return a source as a session stored it: a pick, or a direct source."""
    if "direct" in kept:
        one = kept["direct"]
        return direct_source(Direct(**{**one, "reasons": tuple(one.get("reasons", ()))}))
    return Source(
        infohash=kept["infohash"],
        # Proto's JSON form leaves out zeros.
        file_index=kept.get("file_index", 0),
        magnet_uri=kept.get("magnet_uri", ""),
        pick=kept,
    )
