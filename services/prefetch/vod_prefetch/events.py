"""What prefetch hears: that somebody watches, and that an episode has ended."""

from datetime import timedelta

from vod.playback.v1.events_pb2 import EpisodeEnded, HeartbeatRecorded

from vod_prefetch.domain import EpisodeKey, Following, Profile, SessionId
from vod_prefetch.prefetch import Prefetch
from vod_rpc import Failure, neighbour_away

HEARTBEATS = "playback.v1.heartbeat.*"
_NEAR = timedelta(minutes=3)
ENDED = "playback.v1.episode-ended.*"

SEEN = 0.9
"""Of its duration."""


def following(event: HeartbeatRecorded | EpisodeEnded) -> Following | None:
    """Return what the event says will be wanted next, None at the end of a series."""
    if not event.HasField("next"):
        return None
    return Following(
        session=SessionId(event.session_id),
        key=EpisodeKey(series_id=event.next.series_id, season=event.next.season, episode=event.next.episode),
        profile=Profile(event.device.SerializeToString(deterministic=True)),
        profile_hash=event.profile_hash,
        subtitle_languages=tuple(event.subtitle_languages),
        ready=event.next_ready,
        is_near=_is_near(event),
    )


def _is_near(event: HeartbeatRecorded | EpisodeEnded) -> bool:
    duration = event.duration.ToTimedelta()
    return bool(duration) and duration - event.position.ToTimedelta() <= _NEAR


def watched_to_the_end(event: EpisodeEnded) -> bool:
    """Tell whether somebody saw the episode, as far as one does: credits are not watched."""
    duration = event.duration.ToTimedelta()
    return bool(duration) and event.position.ToTimedelta() >= SEEN * duration


class Listener:
    """The handlers of the consumers."""

    def __init__(self, prefetch: Prefetch) -> None:
        self._prefetch = prefetch

    async def on_heartbeat(self, event: HeartbeatRecorded) -> None:
        """Prepare what follows; when it fails, the next heartbeat is the retry."""
        if (wanted := following(event)) is not None:
            try:
                await self._prefetch.prepare(wanted)
            except Failure:
                return  # told where it happened

    async def on_ended(self, event: EpisodeEnded) -> None:
        """Prepare what follows; when a neighbour is away, the event comes again.

        A session that ended before anything was watched was given up: nobody waits for the next episode.
        """
        if event.position.ToTimedelta() and (wanted := following(event)) is not None:
            try:
                await self._prefetch.prepare(wanted)
            except Failure as failure:
                if neighbour_away(failure):
                    raise
                # Told where it happened, and no other try would end otherwise: nobody waits for it for long.
        if watched_to_the_end(event):
            key = EpisodeKey(series_id=event.key.series_id, season=event.key.season, episode=event.key.episode)
            await self._prefetch.watched(key, profile_hash=event.profile_hash)
