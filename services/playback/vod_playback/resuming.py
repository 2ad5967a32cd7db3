"""Where to go on watching."""

from vod_playback.domain import Resume
from vod_playback.errors import NothingToResume
from vod_playback.ports import Catalog, Progress
from vod_rpc import Failure


class Resuming:
    """Resume points.

    `Exact` means the source that was actually watched, as the last session of this episode stored it, even if the pick
    was changed since by somebody else with the same profile; a start of the episode plays that source too.
    What was only reported from elsewhere has no source.
    """

    def __init__(self, store: Progress, *, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog

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
