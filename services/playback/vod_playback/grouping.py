"""Group commit: heartbeats that arrive within a few milliseconds share one statement, and so one write to disk."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Protocol

from vod_playback.domain import Heard, Written
from vod_playback.errors import StoreUnavailable
from vod_runtime import background

_WINDOW = timedelta(milliseconds=5)
"""How long the first of a group waits for others. While one group is written, the next gathers by itself."""
_AT_MOST = 500
_Waiting = tuple[Heard, asyncio.Future[Written | None]]


class Writer(Protocol):
    async def write(self, heard: Sequence[Heard]) -> dict[str, Written]:
        """Store reports of different sessions; those of sessions that are not active are missing in the answer."""
        ...


class GroupCommit:
    """Answers each heartbeat when its group is on disk; made by `group_commit`, which writes."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._waiting: list[_Waiting] = []
        self._some = asyncio.Event()

    async def write(self, heard: Heard) -> Written | None:
        """Store one report; None unless its session is active.

        Raises:
            StoreUnavailable: it is not known whether it was stored.
        """
        answer: asyncio.Future[Written | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((heard, answer))
        self._some.set()
        return await answer

    async def run(self) -> None:
        """Write group after group, for ever."""
        while True:
            await self._some.wait()
            await asyncio.sleep(_WINDOW.total_seconds())
            group = self._take()
            if not group:  # all of them gave up meanwhile
                continue
            try:
                written = await self._writer.write([heard for heard, _ in group])
            except asyncio.CancelledError:
                _fail(group, StoreUnavailable())
                raise
            except Exception as error:  # noqa: BLE001  whatever it is, those who wait must hear of it
                _fail(group, error)
            else:
                for heard, answer in group:
                    if not answer.done():
                        answer.set_result(written.get(heard.beat.session_id))

    def _take(self) -> list[_Waiting]:
        """Take the first report of each session; the others wait for the next group, so that their order stays."""
        group: dict[str, _Waiting] = {}
        rest = []
        for one in self._waiting:
            session_id = one[0].beat.session_id
            if one[1].done():  # its caller gave up
                continue
            if session_id in group or len(group) == _AT_MOST:
                rest.append(one)
            else:
                group[session_id] = one
        self._waiting = rest
        if not rest:
            self._some.clear()
        return list(group.values())

    def close(self) -> None:
        """Tell those who still wait that nothing comes."""
        _fail(self._waiting, StoreUnavailable())


@asynccontextmanager
async def group_commit(writer: Writer) -> AsyncIterator[GroupCommit]:
    """Write groups while the context is open."""
    groups = GroupCommit(writer)
    try:
        async with background(groups.run()):
            yield groups
    finally:
        groups.close()


def _fail(group: Sequence[_Waiting], error: Exception) -> None:
    for _, answer in group:
        if not answer.done():
            answer.set_exception(error)
