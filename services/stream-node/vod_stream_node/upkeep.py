"""What a node does from time to time: claims expire, disk and memory are kept within limits, what got stuck goes on."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from structlog.typing import FilteringBoundLogger

from vod_rpc import Failure
from vod_stream_node.engine import Engine
from vod_stream_node.janitor import Janitor
from vod_stream_node.looking import may_reload
from vod_stream_node.memory import give_back
from vod_stream_node.pins import Pins

SWEEP_FAILED = "sweep_failed"

_SWEEPS_PER_JANITOR = 12
"""A minute by default; so long, too, have holders time to ask again for what they held before a restart."""


class Upkeep:
    """The rounds of one node."""

    def __init__(self, engine: Engine, *, pins: Pins, janitor: Janitor, log: FilteringBoundLogger) -> None:
        self._engine = engine
        self._pins = pins
        self._janitor = janitor
        self._log = log

    async def run(self, interval: timedelta) -> None:
        """Make a round in each *interval*, for ever."""
        await self._janitor.spare_what_is_here()
        rounds = 0
        while True:
            if rounds == _SWEEPS_PER_JANITOR:
                self._janitor.spare_nothing()
            try:
                await self._pins.sweep()
                if rounds % _SWEEPS_PER_JANITOR == 0 or self._is_any_broken:
                    await self._janitor.clean(may_reload=self._pins.may_reload)
                    await asyncio.to_thread(give_back)
                await self._revive()
            except OSError as error:
                self._log.error(SWEEP_FAILED, reason=error.strerror)
            rounds += 1
            await asyncio.sleep(interval.total_seconds())

    @property
    def _is_any_broken(self) -> bool:
        return any(torrent.is_broken for torrent in self._engine.torrents.values())

    async def _revive(self) -> None:
        """Let torrents come back whose disk failed, if there is room now, and those that have lost their seeds."""
        for torrent in list(self._engine.torrents.values()):
            with suppress(Failure):  # it is gone, or the engine has logged it
                if torrent.is_broken:
                    due = not self._janitor.short_of_room
                else:
                    due = may_reload(torrent) and await torrent.traffic.is_stranded_in_need()
                if due:
                    await self._engine.revived(torrent)
