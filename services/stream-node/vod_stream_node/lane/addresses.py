"""The peers a lane has heard of, and what became of its calls."""

from collections.abc import Iterator
from dataclasses import dataclass

Address = tuple[str, int]

_RETRY_SECONDS = 20.0
_AGAIN_SECONDS = 2.0
_TRIES = 3
_OURS = {"127.0.0.1", "::1"}
"""Much more than one peer may be there: trackers, other nodes."""


@dataclass(slots=True)
class Known:
    """An address."""

    tries: int = 0
    again_at: float = 0.0
    connected: bool = False
    refusals: int = 0
    """How often it took our call and hung up: most clients want one connection from an address, and libtorrent's is it,
    or the peer has not noticed yet that libtorrent is gone."""
    banned: bool = False

    def refused(self, now: float) -> None:
        """Note that a call was taken and ended without a word: it is tried again without libtorrent, twice at once."""
        self.refusals += 1
        self._end(now, pause=0.0 if self.refusals < _TRIES else _RETRY_SECONDS)

    def ended(self, now: float, *, served: bool) -> None:
        """Note the end of a call; a peer that served may be called as often as it is needed."""
        if served:
            self.tries = 0
        self._end(now, pause=_AGAIN_SECONDS if served else _RETRY_SECONDS)

    def _end(self, now: float, *, pause: float) -> None:
        self.connected, self.again_at = False, now + pause


class Addresses:
    """The addresses of one torrent's peers."""

    def __init__(self) -> None:
        self._known: dict[Address, Known] = {}

    def add(self, address: Address) -> None:
        self._known.setdefault(address, Known())

    def ban(self, address: Address) -> None:
        """Never call an address again."""
        self._known[address].banned = True

    def due(self, now: float) -> Iterator[tuple[Address, Known]]:
        """Yield whom to call now."""
        for address, known in self._known.items():
            if not known.connected and not known.banned and known.tries < _TRIES and now >= known.again_at:
                yield address, known

    @property
    def refusals(self) -> int:
        """How many peers have refused us."""
        return sum(known.refusals > 0 for known in self._known.values())

    def is_alone(self, address: Address) -> bool:
        """Say whether a peer has its IP address for itself."""
        return address[0] not in _OURS and sum(other[0] == address[0] for other in self._known) == 1


class Room:
    """How many connections all lanes of a node may have."""

    def __init__(self, connections: int = 400) -> None:
        self.left = connections
