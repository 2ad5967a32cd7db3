"""The use case: make the next episode ready, once, however often somebody says that it is time."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Protocol

from vod_prefetch.domain import EpisodeKey, Following, Outcome, Pick, SessionId
from vod_prefetch.errors import NothingPlayable
from vod_rpc import Failure, deadline, time_left
from vod_runtime import Runtime

NEXT_PREPARED = "next_prepared"
NEXT_FAILED = "next_failed"
SUBTITLES_FAILED = "next_subtitles_failed"

LOOKED_AT = {False: timedelta(minutes=10), True: timedelta(seconds=30)}
"""After this long a prepared episode is looked at again, by whether it begins soon: another may have been chosen, and
its claim is renewed. What is *not* ready, or what no node has any more (`held.py`), is worked on with each heartbeat,
whatever was done before: so nothing that gets lost in NATS, in Redis or on a node stays lost."""
NOT_TRIED_AGAIN = timedelta(minutes=5)
"""A search that found nothing to play is not repeated with every heartbeat."""
_WATCHED_DEADLINE = timedelta(seconds=5)
_LOSES_TO_DEADLINE = timedelta(seconds=2)
"""What is left of the time after waiting for bytes, to say how it went."""
_LEAST = timedelta(milliseconds=100)


class Picks(Protocol):
    async def ensure(self, following: Following) -> Pick:
        """Return the pick of an episode.

        Raises:
            NothingPlayable: there is none.
        """
        ...

    async def note_watched(self, key: EpisodeKey, *, profile_hash: str) -> None:
        """Tell that somebody saw an episode to its end."""
        ...


class StreamNode(Protocol):
    async def pin_next(self, following: Following, pick: Pick, *, within: timedelta) -> bool:
        """Pin the file as NEXT; return whether its first and last bytes came on disk in time."""
        ...

    async def is_pinned(self, following: Following, pick: Pick) -> bool:
        """Pin the file as NEXT; return at once whether its first and last bytes are on disk."""
        ...

    async def let_go(self, following: Following, pick: Pick) -> None:
        """Pin the file no longer; nothing happens if it is not."""
        ...

    async def session_is_over(self, following: Following) -> None:
        """Pin what follows only as long as its viewer may still go on to it."""
        ...


class Subtitles(Protocol):
    async def ensure(self, following: Following, pick: Pick) -> None: ...


class Playback(Protocol):
    async def tell(self, following: Following, outcome: Outcome) -> bool:
        """Tell how preparing went; return whether the session still runs."""
        ...


class Marks(Protocol):
    async def take(self, mark: str, *, lasting: timedelta) -> bool:
        """Return True for the first to ask; others get False until the mark ends or is given back."""
        ...

    async def keep(self, mark: str, *, lasting: timedelta) -> None: ...

    async def give_back(self, mark: str) -> None: ...


class Held(Protocol):
    async def is_ready(self, session: SessionId) -> bool:
        """Tell whether what was prepared for a session still lies ready on a node."""
        ...


class Prefetch:
    """Prepares what follows."""

    def __init__(
        self,
        *,
        picks: Picks,
        stream_node: StreamNode,
        subtitles: Subtitles,
        playback: Playback,
        marks: Marks,
        held: Held,
        runtime: Runtime,
        within: timedelta,
        count: Callable[[str], None],
    ) -> None:
        self._picks = picks
        self._stream_node = stream_node
        self._subtitles = subtitles
        self._playback = playback
        self._marks = marks
        self._held = held
        self._log = runtime.log
        self._within = within
        self._count = count

    async def watched(self, key: EpisodeKey, *, profile_hash: str) -> None:
        """Let picks learn that somebody saw an episode to its end."""
        with deadline(_WATCHED_DEADLINE):
            await self._picks.note_watched(key, profile_hash=profile_hash)

    async def prepare(self, following: Following) -> None:
        """Make an episode ready unless it is, or somebody is at it.

        Raises:
            Failure: a neighbour could not do its part; the next call tries again.
        """
        if following.ready and not await self._is_to_be_looked_at(following):
            return
        with deadline(self._within):
            before: Pick | None = None
            while await self._marks.take(following.mark, lasting=self._within * 2):
                prepared = await self._prepare(following, before)
                # Who chose another source meanwhile was not heard, because of the mark; so it is asked about after it.
                if prepared is None or prepared.same_file(await self._chosen(following)):
                    return
                before = prepared
            if before:  # What was chosen instead is prepared by somebody who never knew of this one.
                await self._stream_node.let_go(following, before)

    async def _is_to_be_looked_at(self, following: Following) -> bool:
        """Tell whether what is said to be ready may not be so: it is gone, or was last looked at long ago."""
        if not await self._held.is_ready(following.session):
            return True
        return await self._marks.take(following.looked, lasting=LOOKED_AT[following.is_near])

    async def _prepare(self, following: Following, before: Pick | None) -> Pick | None:
        """Do the work once, which gives the mark back; *before* was chosen earlier. Return what was pinned."""
        try:
            if before:
                await self._playback.tell(following, Outcome.NOT_READY)
                await self._stream_node.let_go(following, before)
            pick, outcome = await self._make_ready(following)
        except BaseException as error:
            await self._marks.give_back(following.mark)
            await self._marks.give_back(following.looked)
            if isinstance(error, Failure):
                self._count("failed")
                self._log.warning(NEXT_FAILED, session=following.session, episode=str(following.key), why=error.reason)
                await self._take_back(following)
            raise
        self._count(outcome.value)
        self._log.info(NEXT_PREPARED, session=following.session, episode=str(following.key), outcome=outcome.value)
        return pick

    async def _take_back(self, following: Following) -> None:
        """Tell that an episode is not ready after all, or that nobody knows."""
        if following.ready:
            with suppress(Failure):  # then the next heartbeat looks again
                await self._playback.tell(following, Outcome.NOT_READY)

    async def _remember(self, following: Following, outcome: Outcome) -> None:
        if outcome is Outcome.NOTHING_PLAYABLE:
            await self._marks.keep(following.mark, lasting=NOT_TRIED_AGAIN)
            return
        if outcome is Outcome.READY:
            await self._marks.keep(following.looked, lasting=LOOKED_AT[following.is_near])
        await self._marks.give_back(following.mark)

    async def _make_ready(self, following: Following) -> tuple[Pick | None, Outcome]:
        pick = await self._chosen(following)
        if pick is None:
            await self._playback.tell(following, Outcome.NOTHING_PLAYABLE)
            await self._remember(following, Outcome.NOTHING_PLAYABLE)
            return None, Outcome.NOTHING_PLAYABLE
        try:
            async with asyncio.TaskGroup() as group:
                # The hint waits for the bytes only: subtitles may come from far away.
                pinned = group.create_task(self._pin_and_tell(following, pick))
                group.create_task(self._ensure_subtitles(following, pick))
        except* Failure as failures:
            raise failures.exceptions[0] from None
        return pick, pinned.result()

    async def _chosen(self, following: Following) -> Pick | None:
        try:
            return await self._picks.ensure(following)
        except NothingPlayable:
            return None

    async def _pin_and_tell(self, following: Following, pick: Pick) -> Outcome:
        outcome = Outcome.READY if await self._pin(following, pick) else Outcome.NOT_READY
        if not await self._playback.tell(following, outcome):
            # Nobody else would ever give it up: the nodes were told before this claim was made.
            await self._stream_node.session_is_over(following)
        # Before the subtitles have come: a viewer who now chooses another source for it must not wait for those.
        await self._remember(following, outcome)
        return outcome

    async def _pin(self, following: Following, pick: Pick) -> bool:
        """Pin a file; return whether its first and last bytes are on disk. No viewer waits for the truth meanwhile."""
        if following.ready and await self._stream_node.is_pinned(following, pick):
            return True
        await self._take_back(following)
        within = max(_LEAST, (time_left() or self._within) - _LOSES_TO_DEADLINE)
        return await self._stream_node.pin_next(following, pick, within=within)

    async def _ensure_subtitles(self, following: Following, pick: Pick) -> None:
        try:
            await self._subtitles.ensure(following, pick)
        except Failure as failure:
            # An episode without subtitles is better than none.
            self._log.warning(SUBTITLES_FAILED, episode=str(following.key), why=failure.reason)
