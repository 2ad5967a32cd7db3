"""Samples a swarm: fetches the first bytes of a file, to see how fast they come.

A sample ends by itself: when its pieces are here, when they come fast enough to be sure, or when its time is over.
From then on nothing more is asked for, so it costs little more than its bytes; what came stays for whoever plays it.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from vod_stream_node.domain import TorrentFile
from vod_stream_node.torrent import Torrent

LOOK_EVERY = timedelta(milliseconds=250)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a sample is to show."""

    file_index: int
    size: int
    """Bytes from the beginning of the file; pieces are fetched whole."""
    enough_rate: int
    """Bytes per second at which it may end early; 0: only with its last piece."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What came."""

    held: int
    """Bytes of the file that were here before."""
    received: int
    elapsed: timedelta
    complete: bool
    """All that was wished for is here."""


async def take_sample(torrent: Torrent, file: TorrentFile, wish: Wish, *, within: timedelta) -> Sample:
    """Fetch a file's first bytes, as a player would. The torrent's metadata is known.

    Raises:
        StorageFailed, TorrentGone: it can't go on.
    """
    loop = asyncio.get_running_loop()
    layout = torrent.known_layout
    started, held = loop.time(), torrent.downloaded(file)
    first = [piece for piece in layout.pieces(file) if piece * layout.piece_length < file.offset + wish.size]
    with torrent.reading(file), suppress(TimeoutError):
        async with asyncio.timeout(within.total_seconds()):
            await _arrived(torrent, first, wish)
    return Sample(
        held=held,
        received=torrent.downloaded(file) - held,
        elapsed=timedelta(seconds=loop.time() - started),
        complete=all(piece in torrent.have for piece in first),
    )


async def _arrived(torrent: Torrent, pieces: list[int], wish: Wish) -> None:
    """Wait for the pieces, or until the swarm gives enough; pieces of 16 MiB take long in a good swarm, too."""

    async def all_pieces() -> None:
        for piece in pieces:
            await torrent.piece(piece)

    try:
        async with asyncio.TaskGroup() as group:
            arriving = group.create_task(all_pieces())
            while not (await asyncio.wait([arriving], timeout=LOOK_EVERY.total_seconds()))[0]:
                if 0 < wish.enough_rate <= (await torrent.traffic.stats()).download_rate:
                    arriving.cancel()
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None  # there is one task
