"""One torrent of the session: what is known of it, what is here of it, and what is asked of the swarm.

States (`Torrent.state`), and what moves it on:

    CONNECTING ──metadata_received──▶ CHECKING ──torrent_checked──▶ ACTIVE ──closed──▶ CLOSED
        │                                 ▲                           │
        └── (metadata was on disk) ───────┘        a disk error sets `fault`; to try again the engine reloads it
    hostile metadata, at any time: REFUSED ──closed──▶ CLOSED

Invariant: a piece is in `have` only after libtorrent checked its hash, and in `flushed` only after the disk holds it
too; readers are given bytes of no other piece.

A torrent is added with all pieces at priority 0 (by a list longer than any torrent's: their number is not known yet).
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import libtorrent as lt

from vod_rpc import Failure
from vod_stream_node.audience import Audience
from vod_stream_node.checkpoints import Checkpoints
from vod_stream_node.contacts import Contacts
from vod_stream_node.domain import Infohash, Layout, PieceData, Purpose, TorrentFile, TorrentState, check_layout
from vod_stream_node.errors import DiskFull, StorageFailed, TorrentGone
from vod_stream_node.holdings import Holdings
from vod_stream_node.lane.lane import Lane
from vod_stream_node.metainfo import layout_of
from vod_stream_node.picker import NextFill, ends
from vod_stream_node.piece_reads import PieceReads
from vod_stream_node.readers import Place
from vod_stream_node.signals import Signal
from vod_stream_node.supply import Supply
from vod_stream_node.traffic import Traffic

_MAX_FRESH = 64 << 20
"""Bytes that may wait for the disk before nothing more is asked for."""
_READERS_FIRST = 0.02
"""Seconds after which libtorrent gets a piece: it copies it, on our loop, which takes milliseconds for each MiB."""


class Torrent:
    """A torrent in the session. Its methods run on the event loop; none waits for libtorrent's thread unless async."""

    def __init__(
        self,
        infohash: Infohash,
        handle: Any,
        *,
        trackers: Iterable[str],
        web_seeds: Iterable[str] = (),
        folder: Path,
        on_change: Callable[[], None],
        blank: bool = True,
        new_lane: Callable[["Torrent"], Lane | None] = lambda _: None,
    ) -> None:
        self.infohash = infohash
        self.state = TorrentState.CONNECTING
        self.layout: Layout | None = None
        self.info: Any = None
        """libtorrent's `torrent_info`, as soon as it is known."""
        self._handle = handle
        self._on_change = on_change
        self._changed = Signal()
        self._fault: tuple[type[Failure], str] | None = None
        self._next_fill = NextFill.HELD
        self._starved = False
        self.audience = Audience(asyncio.get_running_loop().time)
        self._held = Holdings()
        self._blank = blank
        self._lane = new_lane(self)
        self._supply = Supply(handle, self._lane)
        self.traffic = Traffic(handle, self._lane)
        self.contacts = Contacts(handle, self._lane, trackers=trackers, web_seeds=web_seeds)
        self._replan_soon: asyncio.Handle | None = None
        self.checkpoints = Checkpoints(handle, self._held, self._changed, folder=folder)
        self._reads = PieceReads(handle)

    # What callers want of it.

    def want(self, wants: Mapping[int, Purpose]) -> None:
        """Say which files are pinned, and for what."""
        self.audience.want(wants)
        self._changed.notify()
        if current := [index for index, purpose in wants.items() if purpose is Purpose.CURRENT]:
            self.expect(current)
        self._replan()

    def expect(self, files: Collection[int] = ()) -> None:
        """Get ready to be asked for bytes, of these files if it is known which, while the metadata is on its way."""
        if self.layout is None:
            self._supply.expect(files)

    def fill_next(self, fill: NextFill) -> None:
        """Say how much of NEXT files may be fetched."""
        if fill is not self._next_fill:
            self._next_fill = fill
            self._replan()

    @contextmanager
    def reading(self, file: TorrentFile) -> Iterator[Place]:
        """Open a reader's window on a file; yield what moves it. Leaving drops the window at once."""
        reader = self.audience.readers.open(file.index, self.known_layout.pieces(file).start)
        self._replan()
        self._on_change()
        try:
            yield Place(self.audience.readers, reader, moved=partial(self._moved, file.index))
        finally:
            self.audience.readers.close(reader)
            self._replan()
            self._on_change()

    def plays(self, index: int, *, rate: float) -> None:
        """Note how many bytes of a file are watched in a second."""
        self.audience.read_aheads.plays(index, rate)
        self._replan()

    def swarm_gives(self, rate: float) -> None:
        """Note how many bytes the swarm gives in a second."""
        if self.audience.read_aheads.swarm_gives(rate):
            self._replan()

    @property
    def readers(self) -> int:
        return len(self.audience.readers)

    def is_read(self, index: int) -> bool:
        """Say whether anybody reads a file now."""
        return index in self.audience.readers.files()

    def purposes(self) -> Mapping[int, Purpose]:
        """Return the wanted files; one that is being read is CURRENT whatever its pins say."""
        return self.audience.purposes()

    @property
    def lacks_current(self) -> bool:
        """Whether something is not here of what the viewers of CURRENT files come to."""
        return self.audience.lack(self.layout, self.have, missing=self.missing)

    @property
    def lacking(self) -> int | None:
        """A piece of a wanted file that is not here; the last, which is the least likely to be in anybody's way."""
        if self.layout is None:
            return None
        wanted = (self.layout.files[index] for index in self.audience.purposes() if index < len(self.layout.files))
        missing = (set(self.layout.pieces(file)) - self.have for file in wanted)
        return max(set[int]().union(*missing), default=None)

    @property
    def starving(self) -> bool:
        """Whether a viewer who takes what he is offered has little ahead of him."""
        return self.layout is not None and self._asks and self.audience.is_starving(self.layout, self.have)

    # What is known and here.

    @property
    def known_layout(self) -> Layout:
        if self.layout is None:
            raise TorrentGone("The torrent's metadata is not known.")
        return self.layout

    @property
    def have(self) -> set[int]:
        """The pieces that are here."""
        return self._held.have

    @property
    def flushed(self) -> set[int]:
        """The pieces that the disk holds for certain."""
        return self._held.flushed

    def missing(self, index: int) -> int:
        """Return how many pieces of a file are not here."""
        if self.state in {TorrentState.CONNECTING, TorrentState.CHECKING}:
            return len(self.known_layout.pieces(self.known_layout.files[index]))  # it is not known yet what is here
        return self._held.missing(self.known_layout, index)

    def downloaded(self, file: TorrentFile) -> int:
        """Return the bytes of a file that are here."""
        return self._held.downloaded(self.known_layout, file)

    def has_ends(self, file: TorrentFile) -> bool:
        """Say whether the first and the last bytes of a file are here."""
        head, tail = ends(self.known_layout.pieces(file), self.known_layout.piece_length)
        return self.state is TorrentState.ACTIVE and all(piece in self.have for piece in (*head, *tail))

    async def metadata(self) -> Layout:
        """Wait until the swarm has told what is in the torrent."""
        await self._until(lambda: self.layout is not None)
        return self.known_layout

    async def counted(self) -> None:
        """Wait until it is known what is here, where anything may be."""
        await self._until(lambda: self._blank or self.state is TorrentState.ACTIVE)

    async def first_and_last_bytes(self, file: TorrentFile) -> None:
        """Wait until the first and the last bytes of a file are here, or nobody wants them any more."""
        await self._until(lambda: self.has_ends(file) or file.index not in self.purposes())

    async def piece(self, piece: int) -> None:
        """Wait until a piece is here and verified; while anybody waits for it, it is time-critical."""
        if piece not in self.have:
            with self._supply.waited_for(piece, self.have):
                await self._until(lambda: piece in self.have)

    async def read_piece(self, piece: int) -> PieceData:
        """Return a verified piece's bytes, by way of libtorrent if it has them: it also has what is not on disk yet.

        Raises StorageFailed, TorrentGone.
        """
        if piece in self._held.fresh:
            return self._held.fresh[piece]
        if not self._reads.proves and piece not in self.flushed:
            self.checkpoints.now()
            await self._until(lambda: piece in self.flushed)
        try:
            return await self._reads.read(piece)
        except StorageFailed as failure:
            self.on_disk_error(failure)
            self.check()
            raise

    def read_at(self, index: int) -> list[int]:
        """Return the pieces at which a file's readers are."""
        return self.audience.readers.pieces(index)

    @property
    def window(self) -> int:
        """How many pieces that are not here are wanted soon."""
        return self._supply.window(self.have)

    def check(self) -> None:
        """Raise what is wrong with the torrent, if anything is: TorrentRefused, StorageFailed or TorrentGone."""
        if self._fault:
            failure, message = self._fault
            raise failure(message)

    @property
    def is_broken(self) -> bool:
        """Whether the disk failed: nothing comes any more until the torrent is reloaded."""
        return self._fault is not None and issubclass(self._fault[0], StorageFailed)

    @property
    def disk_is_full(self) -> bool:
        """Whether it failed because it is full."""
        return self._fault is not None and issubclass(self._fault[0], DiskFull)

    def cancel_nothing(self) -> None:
        """Have libtorrent cancel no request from now on: a peer does not understand it."""
        self._supply.cancel_nothing()

    # What libtorrent tells; called by the engine.

    def on_lane_change(self) -> None:
        """Plan again: the express lane has found or lost peers, or seen the first bytes of a file."""
        self._replan()

    def on_metadata(self, info: Any) -> None:
        """Take in what is in the torrent; refuse it when it is hostile."""
        self.info, self.layout = info, layout_of(info)
        self.state = TorrentState.CHECKING
        try:
            check_layout(self.layout)
        except Failure as failure:
            self.refuse(failure)
            return
        digest = info.hash_for_piece if info.info_hashes().has_v1() else None
        self.checkpoints.open(self.layout)
        self._reads.open(digest)
        if self._lane:
            self._lane.on_metadata(self.layout, digest)
        self._replan_now()
        self._changed.notify()
        self._on_change()

    def refuse(self, failure: Failure) -> None:
        """Stop for good: the torrent is not what an honest one would be."""
        self.state = TorrentState.REFUSED
        self._fault = (type(failure), str(failure))
        self._handle.pause()
        self._changed.notify()

    async def load_pieces(self) -> None:
        """Ask libtorrent which pieces are here, after it checked the files (or lost count)."""
        try:
            status = await self.traffic.status(lt.torrent_handle.query_pieces)
        except TorrentGone:
            return
        if self.is_broken or self.state in {TorrentState.REFUSED, TorrentState.CLOSED}:
            return
        for piece, data in self._held.recount(piece for piece, here in enumerate(status.pieces) if here).items():
            self._handle.add_piece(piece, data, 0)
        self.state = TorrentState.ACTIVE
        self.checkpoints.now()
        self._replan()
        self._changed.notify()
        self._on_change()

    def on_express_piece(self, piece: int, data: PieceData) -> None:
        """Take in a piece that the express lane fetched and checked: for readers at once, and for libtorrent."""
        if self.is_broken or piece in self.have:
            return
        self._held.fresh[piece] = data
        self._note(piece)
        asyncio.get_running_loop().call_later(_READERS_FIRST, self._give, piece)

    def _give(self, piece: int) -> None:
        """Give libtorrent a piece, unless the torrent has ended or failed, or libtorrent has got it."""
        if self.state is TorrentState.ACTIVE and piece in self._held.fresh:
            self._handle.add_piece(piece, self._held.fresh[piece], 0)

    def on_piece(self, piece: int) -> None:
        """Note a piece that libtorrent has, with the right hash."""
        if self.is_broken:
            return
        self._held.fresh.pop(piece, None)
        self._note(piece)
        self.checkpoints.after(piece)

    def _note(self, piece: int) -> None:
        if piece in self.have:
            return
        self._held.add(self.known_layout, piece)
        self._changed.notify()
        self._replan()
        if self._held.completes(self.known_layout, piece):
            self._on_change()

    def on_read(self, piece: int, data: bytes | None) -> None:
        """Hand a piece's bytes to who waits for them; None when it could not be read."""
        self._reads.answer(piece, data)

    def on_disk_error(self, failure: StorageFailed) -> None:
        """Fail all that waits; only what was flushed before counts as here, and no checkpoint is made any more.

        After a write failed, what libtorrent says that it has can't be trusted: pieces whose hash was checked in memory
        stay on its list although the file has holes in their places. So peers get nothing either: they would ban us.
        """
        if self.is_broken or self.state in {TorrentState.REFUSED, TorrentState.CLOSED}:
            return
        self._fault = (type(failure), str(failure))
        self._handle.pause()
        self._held.keep_flushed()
        self.checkpoints.close()
        self._replan()
        self._changed.notify()

    async def checkpoint(self) -> None:
        """Save resume data with all that is here now, also what libtorrent was not given yet, and wait for it."""
        for piece in list(self._held.fresh):
            self._give(piece)
            await asyncio.sleep(0)  # readers have their turn meanwhile
        await self.checkpoints.until_all()

    def close(self) -> None:
        """Let go of all that waits; the engine removes the torrent from the session."""
        self.state, self._fault = TorrentState.CLOSED, (TorrentGone, "The torrent has left this node.")
        self._supply.close()
        self.checkpoints.close()
        if self._replan_soon is not None:
            self._replan_soon.cancel()
        self._reads.close()
        self._changed.notify()

    async def _until(self, holds: Callable[[], bool]) -> None:
        await self._changed.until(lambda: self._fault is not None or holds())
        self.check()

    def _moved(self, index: int) -> None:
        if self.missing(index):  # else the plan is the same wherever it is read
            self._replan()

    def _replan(self) -> None:
        """Plan again, once for all that changes in one turn of the loop."""
        if self._replan_soon is None:
            self._replan_soon = asyncio.get_running_loop().call_soon(self._replan_now)

    def _replan_now(self) -> None:
        self._replan_soon = None
        if self.layout is None or self.state in {TorrentState.REFUSED, TorrentState.CLOSED}:
            return
        self._supply.ask(
            self.audience.wishes(self.layout) if self._asks else [], self.have, self.layout, self._next_fill
        )
        if self._starved != self.starving:
            self._starved = not self._starved
            self._on_change()

    @property
    def _asks(self) -> bool:
        """Whether anything is asked for: not while what is wanted may be here, nor while the disk can't take it."""
        checked = self.state is TorrentState.ACTIVE or (self.state is TorrentState.CHECKING and self._blank)
        return checked and not self.is_broken and self._held.fresh_bytes <= _MAX_FRESH
