"""Clocks that tests move."""

from datetime import datetime, timedelta

from vod_runtime import SystemClock


class MovableClock:
    """The machine's clock, which a test may put forward."""

    def __init__(self) -> None:
        self._system = SystemClock()
        self._ahead = timedelta()

    def advance(self, by: timedelta) -> None:
        self._ahead += by

    def now(self) -> datetime:
        return self._system.now() + self._ahead

    def monotonic(self) -> float:
        return self._system.monotonic() + self._ahead.total_seconds()
