"""What the chaos tests have in common: how long faults last, how viewers are started, and the report at the end."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from allinone import SETTINGS, System, start
from stage import SIZES
from viewer import Seen, Viewer, watching

RATE = 1_000_000
"""Bytes per second of what is watched."""
FULL = "full"
CHAOS_SETTINGS = {**SETTINGS, "VOD_STREAM_NODE_LEASE": "3"}

Watch = Callable[..., AbstractAsyncContextManager[Viewer]]
"""Starts a session (series, season, episode) and watches it."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long faults last, and how often they come: `make test` has seconds for all of them, `make chaos` minutes."""

    nats_down: float
    redis_down: float
    kills: int
    rare_faults: bool
    """Also what `make test` has no time for."""
    beat_every: float
    slack: float
    """Seconds that are forgiven on a machine that does other things as well."""
    patience: float
    """How many times as long as on a quiet machine is waited for what has to come."""
    stall_after: float
    """Seconds without bytes after which a source is given up; a busy machine alone must not be the cause."""
    seed: int

    def refused(self, seen: Seen) -> list[str]:
        """Return what a viewer was refused; where slack is given, not heartbeats that a busy machine answered late."""
        return [one for one in seen.refused if not (self.slack and "heartbeat 504" in one)]

    def within(self, seconds: float) -> float:
        """Return how long to wait for what is there within so many seconds on a quiet machine."""
        return seconds * self.patience


_SEEN = "what the viewer saw"


class Report:
    """Fault by fault, what the viewer saw."""

    def __init__(self, record: Callable[[str, object], None]) -> None:
        """*record*: keeps a property of the test; from there it reaches the summary, whichever process ran the test."""
        self._record = record

    def add(self, fault: str, viewer: Viewer, more: str = "") -> None:
        """Note what a viewer saw of a fault."""
        seen = viewer.seen
        told = (
            f"waited {seen.longest_wait:.1f} s for bytes at most, {seen.longest_silence:.1f} s for a heartbeat; "
            f"{seen.beats} beats, {seen.reopened} times reopened"
        )
        self._record(_SEEN, (fault, f"{told}; {more}" if more else told))


def noted(properties: Iterable[tuple[str, Any]]) -> list[tuple[str, str]]:
    """Return what was noted among a test's properties: faults, and what the viewer saw of them."""
    return [(fault, saw) for name, row in properties if name == _SEEN for fault, saw in [row]]


def table(rows: list[tuple[str, str]]) -> str:
    """Return the rows as lines."""
    width = max(len(fault) for fault, _ in rows)
    return "\n".join(f"{fault:<{width}}  {saw}" for fault, saw in rows)


def watcher(vod: System, lengths: Lengths) -> Watch:
    """Return what starts sessions of a system and watches them at the bitrate."""

    @asynccontextmanager
    async def begin(series: str, season: int, episode: int, **more: Any) -> AsyncIterator[Viewer]:
        async with vod.client() as api:
            started = await start(api, series, season, episode, **more)
            async with watching(
                vod.base,
                started,
                api=api,
                size=SIZES[started["pick"]["title"]],
                rate=RATE,
                beat_every=lengths.beat_every,
                patience=lengths.patience,
            ) as viewer:
                yield viewer

    return begin
