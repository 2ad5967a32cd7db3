"""Where to go on watching."""

from datetime import datetime, timedelta

from vod_playback.domain import EpisodeKey, Resume
from vod_playback.errors import NothingToResume
from vod_playback.ports import Catalog, Progress
from vod_rpc import Failure


class Resuming:
    """Resume points.

    `Exact` means the source that was actually watched, as the last session of this episode stored it, even if the pick
    was changed since by somebody else with the same profile; a start of the episode plays that source too.
    """

    def __init__(self, store: Progress, *, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog

    async def progress(
        self, key: EpisodeKey, *, device_id: str, position: timedelta, duration: timedelta, at: datetime
    ) -> None:
        """Keep a position that was reached outside of our sessions, as that of whoever watches on the device.

        Raises:
            NotFound: there is no such episode.
        """
        key = (await self._catalog.episode(key)).key
        subject = await self._store.subject_of(device_id) or device_id
        await self._store.progress(key, subject_id=subject, position=position, duration=duration, at=at)

    async def watched_lately(self) -> tuple[dict[str, float], int]:
        """Return what was watched in a week by series, and how many people watched."""
        return await self._store.watched_lately()

    async def resume(self, *, subject_id: str, device_id: str, series_id: str) -> Resume:
        """Return the episode that was watched last and not finished, of one series or, if *series_id* is empty, of any.

        Without a subject it is that of the device's latest session, else the device itself.

        Raises:
            NothingToResume
        """
        subject = subject_id or await self._store.subject_of(device_id) or device_id
        resume = await self._store.unfinished(subject_id=subject, series_id=await self._kept(series_id))
        if resume is None:
            raise NothingToResume
        return resume

    async def _kept(self, series_id: str) -> str:
        """Return the id under which a title is kept; the one given where the catalog can't say."""
        try:
            return await self._catalog.title(series_id) if series_id else ""
        except Failure:
            return series_id
