"""Where the bytes of a torrent are read: here, at the node that owns it, or here because its owner is gone.

A stream URL names a node as a hint. A read that comes here although the hint names another living owner was sent by an
edge that could not reach that one; so it is never sent back. One whose hint names this node may have been led here by
another: he is led on only if the register says in this moment that another one owns the torrent. What a node remembers
may be a second old, and two that remember each other would send a reader to and fro.
"""

import asyncio
from datetime import timedelta
from weakref import WeakValueDictionary

from structlog.typing import FilteringBoundLogger

from vod_stream_node.domain import Infohash, PinRequest, Purpose, WaitFor, short
from vod_stream_node.engine import Engine
from vod_stream_node.errors import TorrentUnknown
from vod_stream_node.fleet import Fleet
from vod_stream_node.handover import Handover
from vod_stream_node.magnets import Reach, rebuild
from vod_stream_node.metrics import Metrics
from vod_stream_node.pins import Pins
from vod_stream_node.placement import Member
from vod_stream_node.recipes import Recipes
from vod_stream_node.register import RegisterAway
from vod_stream_node.store import TorrentStore
from vod_stream_node.tokens import Grant

TORRENT_TAKEN_OVER = "torrent_taken_over"

_CLAIM_TTL = timedelta(minutes=2)
"""How long a taken-over file stays CURRENT for its reader after the last read, unless his session pins it again."""
_CLAIM_WITHIN = timedelta(seconds=5)


class Takeover:
    """Decides where a read is served, and makes it possible here."""

    def __init__(
        self,
        fleet: Fleet,
        recipes: Recipes,
        handover: Handover,
        *,
        engine: Engine,
        store: TorrentStore,
        pins: Pins,
        reach: Reach,
        metrics: Metrics,
        log: FilteringBoundLogger,
    ) -> None:
        self._fleet = fleet
        self._recipes = recipes
        self._handover = handover
        self._engine = engine
        self._store = store
        self._pins = pins
        self._reach = reach
        self._metrics = metrics
        self._log = log
        self._taking = WeakValueDictionary[Infohash, asyncio.Lock]()
        """By torrent: one that can't be had soon keeps nobody from the others of a dead node."""

    async def settle(self, grant: Grant, *, hint: str) -> Member | None:
        """Return the node to which a reader is to be led; None: this one, which has taken the torrent over if need be.

        Raises:
            TorrentUnknown: no node has it, and nobody left what is needed to fetch it.
            TorrentRefused, StorageFailed
        """
        infohash, me = grant.key.infohash, self._fleet.directory.me
        owner = await self._fleet.owner(infohash)
        if hint == me.name and owner is not None and owner.name != hint:
            owner = await self._fleet.owner_now(infohash)
        if owner is not None and owner.name == me.name:
            await self._hold_again(grant)
            return None
        if owner is not None and owner.name != hint and not owner.draining:
            return owner
        if me.draining:
            return None  # what is here is served to the end
        async with self._lock(infohash):
            if not self._is_here(grant):
                await self._take_over(grant, owner)
        return None

    async def _hold_again(self, grant: Grant) -> None:
        """Give a reader the claim back that a restart of this node forgot, so that his file is fetched as a whole."""
        infohash = grant.key.infohash
        if self._engine.holds(infohash):
            return
        async with self._lock(infohash):
            if not self._engine.holds(infohash) and await asyncio.to_thread(self._store.knows, infohash):
                await self._hold(grant)

    def _lock(self, infohash: Infohash) -> asyncio.Lock:
        lock = self._taking.get(infohash)
        if lock is None:
            lock = self._taking[infohash] = asyncio.Lock()
        return lock

    def _is_here(self, grant: Grant) -> bool:
        torrent = self._engine.torrents.get(grant.key.infohash)
        return torrent is not None and grant.key.file_index in torrent.purposes()

    async def _take_over(self, grant: Grant, owner: Member | None) -> None:
        infohash = grant.key.infohash
        await self._learn(infohash)
        # Having it comes before owning it: who owns without having it leads others astray.
        await self._hold(grant)
        await self._fleet.ownership.give(infohash, self._fleet.directory.me.name)
        if owner is not None:
            await self._handover.connect(infohash, owner.peer)
        self._metrics.takeovers.inc()
        self._log.warning(TORRENT_TAKEN_OVER, infohash=short(infohash), holder=grant.holder)

    async def _hold(self, grant: Grant) -> None:
        await self._pins.ensure(
            PinRequest(
                key=grant.key,
                magnet=rebuild("", grant.key.infohash, reach=self._reach),
                holder=grant.holder,
                purpose=Purpose.CURRENT,
                wait_for=WaitFor.NOTHING,
                ttl=_CLAIM_TTL,
            ),
            within=_CLAIM_WITHIN,
        )

    async def _learn(self, infohash: Infohash) -> None:
        """Get what the owner left; when that can't be known now, whoever pins the file again may bring it."""
        if self._engine.holds(infohash) or await asyncio.to_thread(self._store.knows, infohash):
            return
        try:
            recipe = await self._fleet.ownership.recipe(infohash)
        except RegisterAway:
            return
        if recipe is None:
            raise TorrentUnknown("No node has the torrent.", metadata={"infohash": infohash})
        await self._recipes.take(infohash, recipe)
