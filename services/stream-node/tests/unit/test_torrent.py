"""What a torrent asks of libtorrent, seen at its handle."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import libtorrent as lt
import pytest

from vod_stream_node.domain import Infohash, Purpose, TorrentState
from vod_stream_node.errors import StorageFailed, TorrentGone
from vod_stream_node.picker import FOLLOWING, NextFill
from vod_stream_node.torrent import Torrent
from vod_testing import eventually

MIB = 1 << 20
PIECES = 40


@dataclass(slots=True)
class Handle:
    """Stands where libtorrent's handle would, and keeps what was asked of it."""

    here: set[int] = field(default_factory=set)
    priorities: dict[int, int] = field(default_factory=dict)
    critical: set[int] = field(default_factory=set)
    on_read: Callable[[int], None] = lambda piece: None
    paused: bool = False
    given: list[int] = field(default_factory=list)
    flushes: int = 0

    def pause(self) -> None:
        self.paused = True

    def prioritize_pieces(self, priorities: list[tuple[int, int]]) -> None:
        self.priorities.update(priorities)

    def piece_priority(self, piece: int, priority: int) -> None:
        self.priorities[piece] = priority

    def set_piece_deadline(self, piece: int, _milliseconds: int) -> None:
        self.critical.add(piece)

    def reset_piece_deadline(self, piece: int) -> None:
        self.critical.discard(piece)
        self.priorities[piece] = 1  # as libtorrent does

    def status(self, _flags: int) -> SimpleNamespace:
        return SimpleNamespace(pieces=[piece in self.here for piece in range(PIECES)])

    def read_piece(self, piece: int) -> None:
        asyncio.get_running_loop().call_soon(self.on_read, piece)

    def add_piece(self, piece: int, _data: bytes, _flags: int) -> None:
        self.given.append(piece)

    def flush_cache(self) -> None:
        self.flushes += 1

    def save_resume_data(self, _flags: int) -> None:
        pass

    @property
    def asked(self) -> dict[int, int]:
        """The pieces with a priority, and which."""
        return {piece: priority for piece, priority in self.priorities.items() if priority}


@pytest.fixture
def handle() -> Handle:
    return Handle()


@pytest.fixture
async def torrent(handle: Handle, tmp_path: Path) -> Torrent:
    """A torrent of one film of 40 pieces of 1 MiB, nothing of it here."""
    info = {b"name": b"film.mkv", b"length": PIECES * MIB, b"piece length": MIB, b"pieces": bytes(20 * PIECES)}
    metadata = lt.load_torrent_buffer(lt.bencode({b"info": info})).ti
    torrent = Torrent(Infohash("ab" * 20), handle, trackers=[], folder=tmp_path, on_change=lambda: None)
    torrent.on_metadata(metadata)
    await torrent.load_pieces()
    return torrent


async def planned(handle: Handle, expected: dict[int, int]) -> None:
    await eventually(lambda: None if handle.asked == expected else f"asked is {handle.asked}", within=30)


async def test_nothing_is_asked_for_until_a_file_is_wanted(torrent: Torrent, handle: Handle) -> None:
    await planned(handle, {})

    torrent.want({0: Purpose.NEXT})

    await planned(handle, {0: 5, 1: 5, PIECES - 1: 5})


async def test_the_rest_of_a_next_file_is_asked_for_only_when_it_may(torrent: Torrent, handle: Handle) -> None:
    torrent.want({0: Purpose.NEXT})

    torrent.fill_next(NextFill.ALLOWED)
    await planned(handle, {0: 5, 1: 5, **dict.fromkeys(range(2, PIECES - 1), FOLLOWING), PIECES - 1: 5})
    torrent.fill_next(NextFill.HELD)

    await planned(handle, {0: 5, 1: 5, PIECES - 1: 5})


async def test_a_reader_that_left_no_longer_has_a_window(torrent: Torrent, handle: Handle) -> None:
    torrent.want({0: Purpose.NEXT})
    before = {0: 5, 1: 5, PIECES - 1: 5}

    with torrent.reading(torrent.known_layout.files[0]) as place:
        place.move(20)
        await eventually(lambda: None if handle.asked.get(20) == 7 else "no window yet", within=30)
        starving = torrent.starving

    await planned(handle, before)
    assert (starving, torrent.starving) == (True, False)


async def test_a_piece_is_time_critical_only_while_somebody_waits_for_it(torrent: Torrent, handle: Handle) -> None:
    torrent.want({0: Purpose.NEXT})
    async with asyncio.TaskGroup() as group:
        two = [group.create_task(torrent.piece(20)) for _ in range(2)]
        await eventually(lambda: None if handle.critical == {20} else "not yet", within=30)
        two[0].cancel()
        await asyncio.wait(two[:1])
        still = set(handle.critical)
        two[1].cancel()

    assert (still, handle.critical) == ({20}, set())
    assert 20 not in handle.asked  # and what libtorrent made of its priority is mended


async def test_who_waits_for_a_piece_goes_on_when_it_is_here(torrent: Torrent) -> None:
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(torrent.piece(20))
        await asyncio.wait([waiting], timeout=0)
        torrent.on_piece(20)

    assert torrent.have == {20}


async def test_a_reader_gets_a_piece_of_the_express_lane_before_libtorrent_does(
    torrent: Torrent, handle: Handle
) -> None:
    async def read() -> list[int]:
        await torrent.piece(20)
        return list(handle.given)

    async with asyncio.TaskGroup() as group:
        reading = group.create_task(read())
        await asyncio.wait([reading], timeout=0)
        torrent.on_express_piece(20, bytes(MIB))
        await eventually(lambda: None if handle.given == [20] else "libtorrent does not have it", within=30)

    assert reading.result() == []


async def test_what_libtorrent_was_not_given_yet_is_read_from_memory(torrent: Torrent, handle: Handle) -> None:
    handle.on_read = lambda piece: torrent.on_read(piece, None)  # it does not have it

    torrent.on_express_piece(20, b"verified")

    assert await torrent.read_piece(20) == b"verified"


async def some_turns(task: asyncio.Future[None]) -> None:
    """Let the loop turn a few times, which takes no time."""
    for _ in range(5):
        await asyncio.wait([task], timeout=0)


async def test_who_leaves_saves_also_what_libtorrent_was_not_given_yet(torrent: Torrent, handle: Handle) -> None:
    torrent.on_express_piece(20, bytes(MIB))
    saving = asyncio.ensure_future(torrent.checkpoint())
    await some_turns(saving)
    given, before = list(handle.given), handle.flushes
    torrent.on_express_piece(21, bytes(MIB))  # what comes now is not waited for
    torrent.checkpoints.on_saved(0)
    await some_turns(saving)
    too_soon = saving.done()
    torrent.on_piece(20)
    await some_turns(saving)  # the next checkpoint by the clock would come too late for a stop
    flushes = handle.flushes - before
    torrent.checkpoints.on_saved(1)

    await asyncio.wait_for(saving, timeout=30)
    assert (given, too_soon, flushes) == ([20], False, 1)


async def test_a_complete_file_is_saved_at_once_when_libtorrent_has_its_last_piece(
    torrent: Torrent, handle: Handle
) -> None:
    torrent.missing(0)
    for piece in range(PIECES):
        torrent.on_express_piece(piece, b"")
    for piece in range(PIECES - 1):
        torrent.on_piece(piece)
    before = handle.flushes
    torrent.on_piece(PIECES - 1)

    assert handle.flushes == before + 1


async def test_what_the_disk_gives_back_and_was_never_received_reaches_nobody(torrent: Torrent, handle: Handle) -> None:
    torrent.on_piece(20)
    handle.on_read = lambda piece: torrent.on_read(piece, bytes(MIB))  # a hole, where a write failed

    with pytest.raises(StorageFailed):
        await torrent.read_piece(20)
    assert (torrent.have, torrent.is_broken) == (set(), True)


async def test_when_the_disk_failed_only_what_it_holds_for_certain_is_here_and_peers_get_nothing(
    torrent: Torrent, handle: Handle, tmp_path: Path
) -> None:
    (tmp_path / "film.mkv").write_bytes(bytes(PIECES * MIB))
    await torrent.checkpoints.on_flushed()  # as it began, when it was loaded
    torrent.on_piece(20)
    torrent.checkpoints.now()
    torrent.on_piece(21)  # after the flush began
    await torrent.checkpoints.on_flushed()
    torrent.on_disk_error(StorageFailed("The disk is broken."))
    torrent.on_piece(22)  # in libtorrent's memory; it will not reach the disk

    with pytest.raises(StorageFailed):
        await torrent.piece(21)
    await torrent.piece(20)
    assert (torrent.have, torrent.is_broken, handle.paused) == ({20}, True, True)


async def test_who_waits_when_the_torrent_leaves_is_told(torrent: Torrent) -> None:
    torrent.close()

    with pytest.raises(TorrentGone):
        await torrent.piece(20)
    assert torrent.state is TorrentState.CLOSED
