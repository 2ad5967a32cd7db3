"""How far ahead of a viewer is fetched first: in seconds of what he watches, and further while the swarm is rich.

The rest of a file that is watched is fetched too, but after this, and after the ends of the next one.
"""

from dataclasses import dataclass

WINDOW_BYTES, COMFORT_BYTES = 32 << 20, 8 << 20
"""As long as nobody knows how fast the media is read."""

_WINDOW_SECONDS, _RICH_WINDOW_SECONDS, _COMFORT_SECONDS = 32.0, 96.0, 8.0
_WINDOW_RANGE, _COMFORT_RANGE = (8 << 20, 512 << 20), (2 << 20, 64 << 20)
_RICH, _NO_LONGER_RICH = 2.0, 1.5
"""How many times the media's own rate a swarm gives: from which on it is rich, and below which it no longer is."""


@dataclass(frozen=True, slots=True)
class ReadAhead:
    """Bytes ahead of a viewer."""

    window: int = WINDOW_BYTES
    """What is asked for before the rest of the file, and before anything for later."""
    comfort: int = COMFORT_BYTES
    """What he must have before anything else may take from the swarm."""


class ReadAheads:
    """How far ahead the files of one torrent are fetched."""

    def __init__(self) -> None:
        self._rates: dict[int, float] = {}
        self._rich: set[int] = set()

    def rate(self, index: int) -> float | None:
        """Return the bytes of a file that are watched in a second, on average; None: not known."""
        return self._rates.get(index)

    def of(self, index: int) -> ReadAhead:
        """Return how far ahead a file is fetched."""
        rate = self._rates.get(index)
        if rate is None:
            return ReadAhead()
        seconds = _RICH_WINDOW_SECONDS if index in self._rich else _WINDOW_SECONDS
        return ReadAhead(
            window=_within(rate * seconds, _WINDOW_RANGE), comfort=_within(rate * _COMFORT_SECONDS, _COMFORT_RANGE)
        )

    def plays(self, index: int, rate: float) -> None:
        """Note how many bytes of a file are watched in a second."""
        self._rates[index] = rate

    def swarm_gives(self, rate: float) -> bool:
        """Note how many bytes the swarm gives in a second; return whether that changes how far ahead is fetched."""
        rich = {
            index
            for index, media in self._rates.items()
            if rate >= media * (_NO_LONGER_RICH if index in self._rich else _RICH)
        }
        changed, self._rich = rich != self._rich, rich
        return changed


def _within(size: float, limits: tuple[int, int]) -> int:
    least, most = limits
    return min(most, max(least, round(size)))
