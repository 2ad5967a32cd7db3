"""What is learned of files that are watched, from what is here of them."""

import struct
from dataclasses import dataclass, field

from vod_stream_node.audience import Audience
from vod_stream_node.bitrates import Bitrates
from vod_stream_node.domain import Infohash, Layout, Stats, TorrentFile

MIB = 1 << 20
ONE = Infohash("1" * 40)
SIZE = 100 * MIB
LAYOUT = Layout(MIB, (TorrentFile(0, "Film.mp4", size=SIZE, offset=0),))


def box(kind: bytes, body: bytes, *, length: int | None = None) -> bytes:
    return struct.pack(">I4s", length or 8 + len(body), kind) + body


MVHD = box(b"mvhd", bytes(12) + struct.pack(">II", 1000, 50_000) + bytes(80))
MEDIA_FIRST = box(b"ftyp", bytes(16)) + box(b"mdat", bytes(100), length=SIZE - 24 - 8 - len(MVHD))
INDEX = box(b"moov", MVHD)


@dataclass(slots=True)
class Watched:
    """Stands where a torrent would, with one file that somebody reads; is its own traffic."""

    audience: Audience = field(default_factory=lambda: Audience(lambda: 0.0))
    infohash: Infohash = ONE
    lacks_current: bool = True
    known_layout: Layout = LAYOUT
    swarm: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.audience.readers.open(0, 0)

    @property
    def traffic(self) -> "Watched":
        return self

    async def stats(self) -> Stats:
        return Stats(peers=1, download_rate=7)

    def plays(self, index: int, *, rate: float) -> None:
        self.audience.read_aheads.plays(index, rate)

    def swarm_gives(self, rate: float) -> None:
        self.swarm.append(rate)


@dataclass(slots=True)
class Here:
    """Stands where the bytes that are here would be."""

    parts: dict[int, bytes]
    """By where they begin."""
    asked: list[int] = field(default_factory=list)

    async def read(self, _infohash: Infohash, _file_index: int, *, offset: int, size: int) -> bytes:
        self.asked.append(offset)
        return self.parts.get(offset, b"")[:size]


async def test_a_film_with_its_index_at_the_end_is_known_once_that_is_here() -> None:
    torrent, here = Watched(), Here({0: MEDIA_FIRST.ljust(64 << 10, b"\0")})
    bitrates = Bitrates({ONE: torrent}, here)  # type: ignore[dict-item, arg-type]

    await bitrates.look(torrent)  # type: ignore[arg-type]
    before = torrent.audience.read_aheads.rate(0)
    here.parts[SIZE - len(INDEX)] = INDEX
    await bitrates.look(torrent)  # type: ignore[arg-type]

    assert (before, torrent.audience.read_aheads.rate(0)) == (None, SIZE / 50)
    assert torrent.swarm == [7, 7]


async def test_a_file_that_does_not_say_how_long_it_plays_is_looked_at_once() -> None:
    torrent, here = Watched(lacks_current=False), Here({0: bytes(64 << 10)})
    bitrates = Bitrates({ONE: torrent}, here)  # type: ignore[dict-item, arg-type]
    await bitrates.look(torrent)  # type: ignore[arg-type]
    asked = len(here.asked)

    await bitrates.look(torrent)  # type: ignore[arg-type]

    assert (len(here.asked), torrent.swarm) == (asked, [])


async def test_one_whose_first_bytes_are_not_here_yet_is_looked_at_again() -> None:
    torrent, here = Watched(), Here({0: MEDIA_FIRST[:100]})
    bitrates = Bitrates({ONE: torrent}, here)  # type: ignore[dict-item, arg-type]
    await bitrates.look(torrent)  # type: ignore[arg-type]
    asked = len(here.asked)

    await bitrates.look(torrent)  # type: ignore[arg-type]

    assert len(here.asked) > asked
