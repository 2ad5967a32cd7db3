"""Which pieces to ask the swarm for, and how urgently: pure functions over sets of pieces.

The rules, strongest first; a piece that several rules name gets the strongest:

    7  what a reader waits for: the first missing pieces from where it reads
    7  first and last bytes (moov, cues) of a CURRENT file, together and at once: players jump between them to start
    6  what it will wait for next
    5  a little further ahead of each reader; first and last bytes of a NEXT file
    4  further ahead
    2  the rest of a NEXT file, but only while no CURRENT file of this node lacks anything ahead of its viewers
    1  the rest of a CURRENT file, so that the whole of it arrives in the end
    0  all of a NEXT file while a viewer of this node has little ahead of him (`sharing.py` says who counts)
    0  all else: nothing is asked for before a pin says so

A reader's window is counted in *missing* pieces, so it moves as pieces arrive and as the reader reads; how much is in
it depends on how fast the media plays (`read_ahead.py`). First and last
bytes of a NEXT file compete with what is far ahead of a viewer (they are at most 3 MiB, once), the rest never does.

Only piece priorities are planned here: libtorrent's file priorities are applied by a disk job that later overwrites
piece priorities. The one piece that a reader waits for at the moment gets a deadline as well (`Torrent.piece`).
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice, zip_longest

from vod_stream_node.domain import Purpose
from vod_stream_node.read_ahead import COMFORT_BYTES, WINDOW_BYTES

HEAD_BYTES = 2 << 20
TAIL_BYTES = 1 << 20

SOON_BYTES = 4 << 20

WAITED, ENDS, SOON, NEAR, AHEAD, FOLLOWING, REST, NOTHING = 7, 7, 6, 5, 4, 2, 1, 0

_URGENT = ((WAITED, 1280 << 10), (SOON, 2 << 20), (NEAR, 6 << 20))
"""Missing bytes ahead of a reader, by urgency; what else is in his window follows."""
_URGENT_BYTES = 8 << 20


class NextFill(Enum):
    """How much of NEXT files may be downloaded."""

    ALLOWED = "allowed"
    HELD = "held"
    """First and last bytes only: a CURRENT file lacks something ahead of its viewers."""
    STOPPED = "stopped"
    """Nothing: a viewer has little ahead of him."""


@dataclass(frozen=True, slots=True)
class Demand:
    """One file that is wanted."""

    pieces: range
    purpose: Purpose
    readers: tuple[int, ...] = ()
    """The piece each reader is at, the one that came last first: it is where the viewer has jumped to."""
    index: range | None = None
    """Pieces with the container's index, which a player reads before the first picture; None: not known."""
    window: int = WINDOW_BYTES
    """Bytes ahead of each reader that come before the rest."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Priorities for all pieces of a torrent: few that matter now, over a level for each wanted file."""

    urgent: Mapping[int, int] = field(default_factory=dict)
    rest: tuple[tuple[range, int], ...] = ()

    def level(self, piece: int) -> int:
        """Return the priority of a piece, 0 (never) to 7."""
        if piece in self.urgent:
            return self.urgent[piece]
        return max((level for pieces, level in self.rest if piece in pieces), default=NOTHING)


def is_starving(
    at: int, pieces: range, have: Collection[int], piece_length: int, *, comfort: int = COMFORT_BYTES
) -> bool:
    """Say whether who reads a file at a piece has little of it ahead of him: less than *comfort* bytes."""
    ahead = pieces[pieces.index(at) :][: _pieces_of(comfort, piece_length)]
    return any(piece not in have for piece in ahead)


def ends(pieces: range, piece_length: int) -> tuple[range, range]:
    """Return the pieces with a file's first and last bytes: what a player needs to start."""
    head, tail = _pieces_of(HEAD_BYTES, piece_length), _pieces_of(TAIL_BYTES, piece_length)
    return pieces[:head], pieces[-tail:]


def plan(demands: Sequence[Demand], have: Collection[int], *, piece_length: int, next_fill: NextFill) -> Plan:
    """Return what to ask for, given what is wanted and which pieces are here."""
    urgent: dict[int, int] = {}
    for demand in demands:
        if demand.purpose is Purpose.NEXT and next_fill is NextFill.STOPPED and not demand.readers:
            continue
        for piece, level in _urgent(demand, have, piece_length=piece_length):
            urgent[piece] = max(urgent.get(piece, NOTHING), level)
    rest = tuple((demand.pieces, _rest(demand, next_fill)) for demand in demands if demand.pieces)
    return Plan(urgent=urgent, rest=rest)


def sequence(
    demands: Sequence[Demand], have: Collection[int], *, piece_length: int, next_fill: NextFill, limit: int
) -> tuple[list[int], int]:
    """Return the missing pieces in the order they are needed, up to a number, and how many of the first are waited for.

    The same rules as `plan`, for who can follow an order to the letter: what each reader waits for, or the first bytes
    when nobody reads yet; the container's index; the windows of the readers; first and last bytes; the rest.
    """
    wanted: dict[int, None] = {}
    current = [demand for demand in demands if demand.purpose is Purpose.CURRENT]
    readers = [ahead for demand in current for ahead in _ahead(demand)]
    for rank, ahead in enumerate(readers or [demand.pieces for demand in current]):
        wanted.update(islice(((piece, None) for piece in ahead if piece not in have), 1))
        if rank == 0:
            wanted.update((piece, None) for demand in current for piece in demand.index or () if piece not in have)
    critical = len(wanted) if readers else 0
    for piece in _in_order(current, readers, demands, piece_length=piece_length, next_fill=next_fill):
        if len(wanted) >= limit:
            break
        if piece not in have:
            wanted[piece] = None
    return list(wanted)[:limit], min(critical, limit)


def _in_order(
    current: Sequence[Demand],
    readers: Sequence[range],
    demands: Sequence[Demand],
    *,
    piece_length: int,
    next_fill: NextFill,
) -> Iterator[int]:
    # The next piece too, however large pieces are: else a file's end would come between a reader and what he reads on.
    yield from _turns([ahead[: max(2, _pieces_of(SOON_BYTES, piece_length))] for ahead in readers])
    for demand in current:
        for end in ends(demand.pieces, piece_length):
            yield from end
    yield from _turns(
        [ahead[: _pieces_of(demand.window, piece_length)] for demand in current for ahead in _ahead(demand)]
    )
    following = [demand for demand in demands if demand.purpose is Purpose.NEXT]
    for demand in following if next_fill is not NextFill.STOPPED else ():
        for end in ends(demand.pieces, piece_length):
            yield from end
    for pieces in readers:
        yield from pieces
    for demand in following if next_fill is NextFill.ALLOWED else ():
        yield from demand.pieces
    for demand in current:
        yield from demand.pieces


def _ahead(demand: Demand) -> list[range]:
    """Return what is ahead of each reader of a file."""
    return [demand.pieces[demand.pieces.index(at) :] for at in demand.readers]


def _turns(windows: Sequence[range]) -> Iterator[int]:
    """Yield the pieces of windows in turns."""
    for row in zip_longest(*windows):
        yield from (piece for piece in row if piece is not None)


def changes(before: Plan, after: Plan) -> list[tuple[int, int]]:
    """Return the pieces whose priority differs between two plans, with the new one."""
    touched = set(before.urgent) | set(after.urgent)
    if before.rest != after.rest:
        touched.update(piece for pieces, _ in (*before.rest, *after.rest) for piece in pieces)
    return [(piece, after.level(piece)) for piece in sorted(touched) if before.level(piece) != after.level(piece)]


def _rest(demand: Demand, next_fill: NextFill) -> int:
    if demand.purpose is Purpose.CURRENT:
        return REST
    return FOLLOWING if next_fill is NextFill.ALLOWED else NOTHING


def _urgent(demand: Demand, have: Collection[int], *, piece_length: int) -> Iterator[tuple[int, int]]:
    level = ENDS if demand.purpose is Purpose.CURRENT else NEAR
    for end in ends(demand.pieces, piece_length):
        yield from ((piece, level) for piece in end if piece not in have)
    for reader in demand.readers:
        missing = (piece for piece in range(reader, demand.pieces.stop) if piece not in have)
        yield from zip(missing, _levels(piece_length, demand.window), strict=False)


def _levels(piece_length: int, window: int) -> Iterator[int]:
    for level, size in (*_URGENT, (AHEAD, max(0, window - _URGENT_BYTES))):
        for _ in range(_pieces_of(size, piece_length)):
            yield level


def _pieces_of(size: int, piece_length: int) -> int:
    return math.ceil(size / piece_length)
