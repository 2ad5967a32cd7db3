"""Positions that were reached without a session of ours: offline, or in another player."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from vod_playback.domain import EpisodeKey
from vod_playback.errors import ReportInvalid
from vod_playback.ports import Catalog
from vod_playback.positions import wrong_position, wrong_time
from vod_runtime import Clock


@dataclass(frozen=True, slots=True)
class Report:
    """How far an episode was watched on a device. What is None nobody said."""

    key: EpisodeKey
    device_id: str
    position: timedelta
    duration: timedelta | None = None
    event_time: datetime | None = None
    """When the position was reached, by the device's clock."""

    def checked(self, *, now: datetime) -> "Report":
        """Return it if it makes sense.

        Raises:
            ReportInvalid: its position or its time can't be true.
        """
        if wrong := wrong_position(self.position, self.duration):
            raise ReportInvalid(wrong, metadata={"field": "position"})
        if self.event_time and (wrong := wrong_time(self.event_time, now=now)):
            raise ReportInvalid(wrong, metadata={"field": "update_time"})
        return self

    def reached_at(self, *, now: datetime) -> datetime:
        """Return when the position was reached: as said, but not ahead of us, which would lock out what comes later."""
        return min(self.event_time or now, now)


class Kept(Protocol):
    """Where positions are kept."""

    async def subject_of(self, device_id: str) -> str | None:
        """Return who watched on a device last."""
        ...

    async def progress(
        self, key: EpisodeKey, *, subject_id: str, position: timedelta, duration: timedelta, reached_at: datetime
    ) -> None:
        """Keep a position unless one is kept that was reached later."""
        ...


class Reporting:
    """The use case of reporting."""

    def __init__(self, store: Kept, *, catalog: Catalog, clock: Clock) -> None:
        self._store = store
        self._catalog = catalog
        self._clock = clock

    async def report(self, report: Report) -> None:
        """Keep a position as that of whoever watches on the device, unless a later one is kept.

        Raises:
            ReportInvalid: its position or its time can't be true.
            NotFound: there is no such episode.
        """
        now = self._clock.now()
        report = report.checked(now=now)
        episode = await self._catalog.episode(report.key)
        subject = await self._store.subject_of(report.device_id) or report.device_id
        await self._store.progress(
            episode.key,
            subject_id=subject,
            position=report.position,
            duration=report.duration or episode.runtime,
            reached_at=report.reached_at(now=now),
        )
