"""Sources that somebody watches: kept for as long as they may come back, and well when they do."""

from datetime import timedelta

from vod_runtime import Clock
from vod_sources.domain import Play
from vod_sources.errors import PlayNotFound
from vod_sources.finding import Finding
from vod_sources.guard import UnwellError
from vod_sources.replacing import Replacing
from vod_sources.store import Store

_STILL_FRESH = timedelta(seconds=15)
"""A source that was looked at so lately is not looked at again."""


class Keeping:
    """The use case of coming back."""

    def __init__(self, finding: Finding, *, replacing: Replacing, store: Store, clock: Clock) -> None:
        self._finding = finding
        self._replacing = replacing
        self._store = store
        self._clock = clock

    async def ensure(self, play_id: str) -> Play:
        """Return the play, with another source if its own is not well any more.

        Raises:
            PlayNotFound, SourceGone
        """
        play = await self._store.load(play_id)
        if play is None:
            raise PlayNotFound("There is no such source; ask for sources again.")
        if play.seen_at is None or self._clock.now() - play.seen_at > _STILL_FRESH:
            play = await self._replacing.going_on(play, self._look)
        await self._store.hold(play.id)
        return play

    async def _look(self, play: Play) -> Play:
        if await self._finding.looked_at(play.source, runtime=play.content.runtime) is None:
            raise UnwellError
        return play
