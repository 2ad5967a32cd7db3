"""Pins: who holds which file of which torrent, for what, until when; and what follows for the engine.

Rules
- A holder has at most one claim on a file. A claim ends by ReleasePin, or when its time is over without the file being
  asked for or read.
- A file is CURRENT when any claim says so or while anybody reads it, else NEXT.
- How much of NEXT files is downloaded depends on what viewers of this node leave over (`sharing.py`).
- A torrent that nobody pins, reads or asks about stays in the session for a minute (a probe is mostly followed by a
  pin), without downloading; then it leaves. One without metadata leaves at once. What has no bytes leaves no trace.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial

from structlog.typing import FilteringBoundLogger

from vod_rpc import Failure
from vod_runtime import Clock
from vod_stream_node.choosing import main_file
from vod_stream_node.domain import (
    Claim,
    Infohash,
    Layout,
    PinKey,
    PinRequest,
    PinState,
    PinStatus,
    Purpose,
    Stats,
    short,
)
from vod_stream_node.engine import Engine
from vod_stream_node.errors import NodeDraining, PinUnknown, TorrentGone, TorrentUnknown
from vod_stream_node.janitor import Janitor
from vod_stream_node.looking import is_here, look, may_reload, state_of, wanted
from vod_stream_node.magnets import Origin, Reach, rebuild
from vod_stream_node.metrics import Metrics
from vod_stream_node.reader import FileReader
from vod_stream_node.sampling import Sample, Wish, take_sample
from vod_stream_node.seeding import SeedPolicy
from vod_stream_node.sharing import Sharing
from vod_stream_node.store import TorrentStore
from vod_stream_node.tokens import Grant
from vod_stream_node.torrent import Torrent
from vod_stream_node.waiting import metadata, waited

PIN_ENSURED = "pin_ensured"
PIN_RELEASED = "pin_released"
PIN_EXPIRED = "pin_expired"
PIN_REFUSED = "pin_refused"
TORRENT_UNLOADED = "torrent_unloaded"


class Pins:
    """The claims of this node."""

    def __init__(
        self,
        engine: Engine,
        *,
        store: TorrentStore,
        clock: Clock,
        metrics: Metrics,
        log: FilteringBoundLogger,
        janitor: Janitor,
        idle: timedelta,
        seeding: SeedPolicy,
        sharing: Sharing,
        stalled: Callable[[PinKey], int],
    ) -> None:
        self._engine = engine
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._log = log
        self._janitor = janitor
        self._idle = idle
        self._seeding = seeding
        self._stalled = stalled
        self._sharing = sharing
        self._pins: defaultdict[PinKey, dict[str, Claim]] = defaultdict(dict)
        self._calls: Counter[Infohash] = Counter()
        self._idle_since: dict[Infohash, float] = {}
        self._draining = False
        engine.subscribe(self._apply)
        metrics.watch_pins(self._states)

    @property
    def draining(self) -> bool:
        return self._draining

    async def drain(self) -> None:
        """Take no new pins; what is here goes on."""
        self._draining = True

    async def ensure(self, request: PinRequest, *, within: timedelta) -> PinStatus:
        """Pin a file; wait for what was asked, at most as long as *within*.

        A pin that was new is gone again when this fails.

        Raises:
            SwarmSilent: no metadata in time, and it was waited for.
            FileIndexOutOfRange, FileNotPlayable: of a file that can't be streamed.
            TorrentRefused, StorageFailed, NodeDraining
            TorrentGone: twice in this time.
        """
        end = self._clock.monotonic() + within.total_seconds()
        try:
            return await self._ensure(request, within=within)
        except TorrentGone:  # most likely it was reloaded for somebody else
            left = timedelta(seconds=max(0.0, end - self._clock.monotonic()))
            return await self._ensure(request, within=left)

    async def _ensure(self, request: PinRequest, *, within: timedelta) -> PinStatus:
        if self._draining:
            raise NodeDraining("The node is about to stop.")
        key, before = request.key, self._pins[request.key].get(request.holder)
        async with self._called(key.infohash):
            made = None
            try:
                torrent = await self._engine.pin(key.infohash, request.magnet, request.torrent)
                if not (is_here(torrent, key) or (torrent.disk_is_full and self._janitor.short_of_room)):
                    torrent = await self._engine.revived(torrent)
                made = self._claim(request, before)
                await waited(torrent, request, within)
                status = await self._status(key)
            except BaseException:
                if made and self._pins[key].get(request.holder) is made:  # nobody asked again, or read it, meanwhile
                    self._restore(key, request.holder, before)
                raise
            self._log.info(
                PIN_ENSURED,
                infohash=short(key.infohash),
                file_index=key.file_index,
                holder=request.holder,
                purpose=request.purpose.value,
            )
            return status

    async def main_file(self, origin: Origin, *, within: timedelta) -> PinKey:
        """Return the file of a torrent that is meant when nobody said which, as soon as the swarm told what is in it.

        Raises:
            SwarmSilent: it did not tell in time.
            FileNotPlayable: there is no video in it.
            TorrentRefused, StorageFailed
        """
        async with self._called(origin.infohash):
            torrent = await self._engine.pin(origin.infohash, origin.magnet, origin.torrent)
            file = main_file(await metadata(torrent, within), title=origin.title)
            return PinKey(origin.infohash, file.index)

    async def status(self, key: PinKey) -> PinStatus:
        """Return a pin as it is now.

        Raises:
            PinUnknown: nobody holds the file.
        """
        if not self._pins.get(key) or key.infohash not in self._engine.torrents:
            raise PinUnknown("Nobody holds that file here.", metadata={"infohash": key.infohash})
        return await self._status(key)

    async def crowd(self, key: PinKey) -> tuple[Stats, tuple[str, ...]] | None:
        """Return a file's traffic and who holds it CURRENT; None when nobody does."""
        claims, torrent = self._pins.get(key, {}), self._engine.torrents.get(key.infohash)
        holders = tuple(sorted(name for name, claim in claims.items() if claim.purpose is Purpose.CURRENT))
        return (await torrent.traffic.stats(), holders) if torrent and holders else None

    def release(self, key: PinKey, holder: str) -> None:
        """Give up a holder's claim; nothing happens if there is none."""
        if self._pins.get(key, {}).pop(holder, None):
            self._log.info(PIN_RELEASED, infohash=short(key.infohash), file_index=key.file_index, holder=holder)
            self._apply()

    def retire(self, holder: str, *, next_lasting: timedelta) -> None:
        """Give up what a holder watched; what was to come next for him stays pinned so much longer."""
        for key, claims in list(self._pins.items()):
            claim = claims.get(holder)
            if claim and claim.purpose is Purpose.NEXT:
                expires_at = min(claim.expires_at, self._clock.now() + next_lasting)
                claims[holder] = Claim(Purpose.NEXT, expires_at=expires_at, ttl=next_lasting)
            elif claim:
                self.release(key, holder)

    async def statuses(self) -> list[PinStatus]:
        """Return all pins as they are now, without those whose torrent is away for a moment."""
        found = []
        for key in [key for key, claims in self._pins.items() if claims]:
            with suppress(TorrentGone):
                found.append(await self._status(key))
        return found

    async def probe(self, wanted: Origin, *, within: timedelta) -> tuple[Layout, Stats]:
        """Ask the swarm what is in a torrent, without downloading it.

        Raises:
            SwarmSilent: it did not tell in time; nothing is left behind.
            TorrentRefused: it is made to hurt.
        """
        async with self._called(wanted.infohash):
            torrent = await self._engine.pin(wanted.infohash, wanted.magnet, wanted.torrent)
            return await metadata(torrent, within), await torrent.traffic.stats()

    async def sample(self, wanted: Origin, wish: Wish, *, within: timedelta) -> tuple[Layout, Stats, Sample]:
        """Ask the swarm what is in a torrent, and fetch the first bytes of one file to see how fast they come.

        Raises:
            SwarmSilent, TorrentRefused: as `probe`.
            FileIndexOutOfRange, FileNotPlayable: of a file that can't be streamed.
        """
        end = self._clock.monotonic() + within.total_seconds()
        async with self._called(wanted.infohash):
            torrent = await self._engine.pin(wanted.infohash, wanted.magnet, wanted.torrent)
            layout = await metadata(torrent, within)
            left = timedelta(seconds=max(0.0, end - self._clock.monotonic()))
            taken = await take_sample(torrent, layout.playable(wish.file_index), wish, within=left)
            return layout, await torrent.traffic.stats(), taken

    @asynccontextmanager
    async def open(self, grant: Grant) -> AsyncIterator[FileReader]:
        """Open the file a token grants; pinned or not, as long as the node knows the torrent.

        Waits for metadata without bound: the caller has the deadline.

        Raises:
            TorrentUnknown: neither in the session nor on disk.
        """
        infohash = grant.key.infohash
        async with self._called(infohash):
            torrent = await self._known(infohash)
            # What is here is served although the disk failed.
            file = (torrent.layout or await torrent.metadata()).playable(grant.key.file_index)
            async with self._engine.open_file(torrent, file) as reader:
                self._touch(grant)
                try:
                    yield reader
                finally:
                    self._touch(grant)

    async def sweep(self) -> None:
        """Let claims expire and unload torrents that have been idle for long enough."""
        now = self._clock.now()
        for key, claims in list(self._pins.items()):
            for holder, claim in list(claims.items()):
                if claim.expires_at <= now and not self._is_read(key):
                    del claims[holder]
                    self._log.info(PIN_EXPIRED, infohash=short(key.infohash), file_index=key.file_index, holder=holder)
            if not claims:
                del self._pins[key]
        self._apply()
        for torrent in list(self._engine.torrents.values()):
            await self._unload_if_idle(torrent)

    def may_reload(self, torrent: Torrent) -> bool:
        """Say whether a torrent can leave the session for a moment: no call waits for it, only reads do."""
        return self._calls[torrent.infohash] <= torrent.readers and may_reload(torrent)

    # Claims.

    async def _known(self, infohash: Infohash) -> Torrent:
        if not self._engine.holds(infohash) and not await asyncio.to_thread(self._store.knows, infohash):
            raise TorrentUnknown("This node does not have the torrent.", metadata={"infohash": infohash})
        return await self._engine.pin(infohash, rebuild("", infohash, reach=Reach.PUBLIC))

    def _claim(self, request: PinRequest, before: Claim | None) -> Claim:
        claim = Claim(request.purpose, expires_at=self._clock.now() + request.ttl, ttl=request.ttl)
        self._pins[request.key][request.holder] = claim
        if request.purpose is Purpose.CURRENT and (before is None or before.purpose is Purpose.NEXT):
            self._metrics.starts(request.key, request.holder, at=self._clock.monotonic())
        self._apply()
        return claim

    def _restore(self, key: PinKey, holder: str, before: Claim | None) -> None:
        if before is None:
            self._pins[key].pop(holder, None)
        else:
            self._pins[key][holder] = before
        self._apply()

    def _touch(self, grant: Grant) -> None:
        claim = self._pins.get(grant.key, {}).get(grant.holder)
        if claim:
            later = Claim(claim.purpose, expires_at=self._clock.now() + claim.ttl, ttl=claim.ttl)
            self._pins[grant.key][grant.holder] = later

    def _is_read(self, key: PinKey) -> bool:
        torrent = self._engine.torrents.get(key.infohash)
        return torrent is not None and torrent.is_read(key.file_index)

    def _apply(self) -> None:
        """Tell every torrent what is wanted of it."""
        self._refuse_unplayable()
        wants = wanted(self._pins)
        for torrent in self._engine.torrents.values():
            torrent.want(wants.get(torrent.infohash, {}))
        self._sharing.apply()

    def _refuse_unplayable(self) -> None:
        """Drop pins that were made before it was known that there is no such file, or that it is not media."""
        for key, claims in self._pins.items():
            torrent = self._engine.torrents.get(key.infohash)
            if not claims or torrent is None or torrent.layout is None:
                continue
            try:
                torrent.layout.playable(key.file_index)
            except Failure as failure:
                claims.clear()
                self._log.warning(PIN_REFUSED, infohash=short(key.infohash), reason=failure.reason)

    # Torrents.

    @asynccontextmanager
    async def _called(self, infohash: Infohash) -> AsyncIterator[None]:
        """Keep a torrent in the session during a call; one that never told anything leaves with the last call."""
        self._calls[infohash] += 1
        try:
            yield
        finally:
            self._calls[infohash] -= 1
            torrent = self._engine.torrents.get(infohash)
            if torrent is not None and torrent.layout is None and not self._is_needed(torrent):
                self._engine.unpin(torrent)
                await self._delete(infohash)

    def _is_needed(self, torrent: Torrent) -> bool:
        pinned = any(claims for key, claims in self._pins.items() if key.infohash == torrent.infohash)
        return bool(pinned or torrent.readers or self._calls[torrent.infohash])

    async def _unload_if_idle(self, torrent: Torrent) -> None:
        if self._is_needed(torrent):
            self._idle_since.pop(torrent.infohash, None)
            return
        since = self._idle_since.setdefault(torrent.infohash, self._clock.monotonic())
        idle = timedelta(seconds=self._clock.monotonic() - since)
        if idle < self._idle or await self._seeding.goes_on(torrent, idle):
            return
        await self._engine.save(torrent)
        if self._is_needed(torrent):
            return  # somebody came meanwhile
        del self._idle_since[torrent.infohash]
        self._engine.unpin(torrent)
        self._log.info(TORRENT_UNLOADED, infohash=short(torrent.infohash))
        if not torrent.have:
            await self._delete(torrent.infohash)

    async def _delete(self, infohash: Infohash) -> None:
        await self._engine.aside(infohash, partial(self._store.delete, infohash))

    async def _status(self, key: PinKey) -> PinStatus:
        torrent = self._engine.torrents.get(key.infohash)
        if torrent is None:
            raise TorrentGone("The torrent has left this node.", metadata={"infohash": key.infohash})
        return await look(torrent, key, self._pins[key], stalls=self._stalled(key))

    def _states(self) -> Counter[PinState]:
        states: Counter[PinState] = Counter()
        for key, claims in self._pins.items():
            torrent = self._engine.torrents.get(key.infohash)
            if claims and torrent:
                states[state_of(torrent, torrent.layout.files[key.file_index] if torrent.layout else None)] += 1
        return states
