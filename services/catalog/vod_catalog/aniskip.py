"""AniSkip v2 (https://api.aniskip.com/api-docs): where openings and endings are, as viewers marked them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

from vod_catalog.domain import EpisodeKey, Title
from vod_catalog.fields import record, records, text
from vod_catalog.relations import EntryEpisode
from vod_catalog.upstream import NotThereError, Upstream
from vod_rpc import Failure, Flights
from vod_runtime import Clock

_TYPES = ["op", "ed", "mixed-op", "mixed-ed", "recap"]
_SHORTEST, _LONGEST = 5.0, 200.0
_LONGEST_FILE = 48 * 3600
_EXACT_WITHIN = 2.0
_SNAP_TO_START = 5.0
_PATIENCE_SECONDS = 0.8
_KEPT, _KEPT_EMPTY = timedelta(days=7), timedelta(hours=24)


class SkipKind(Enum):
    """What is skipped."""

    OPENING = "opening"
    ENDING = "ending"
    RECAP = "recap"


_KINDS = {
    "op": SkipKind.OPENING,
    "mixed-op": SkipKind.OPENING,
    "ed": SkipKind.ENDING,
    "mixed-ed": SkipKind.ENDING,
    "recap": SkipKind.RECAP,
}


@dataclass(frozen=True, slots=True)
class SkipRange:
    """Seconds of the viewer's file; *is_exact* where it was marked on a file of the same length."""

    kind: SkipKind
    start: float
    end: float
    is_exact: bool


class AniSkip:
    """The client."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def ask(self, episode: EntryEpisode, *, seconds: float) -> list[dict[str, object]]:
        """Return the results for a file of this length: AniSkip leaves out what differs by more than 20 s.

        Raises:
            Failure: it does not answer as it should.
        """
        params = {"types": _TYPES, "episodeLength": f"{seconds:.3f}"}
        try:
            found = await self._upstream.get(
                f"skip-times/{episode.entry}/{episode.episode}",
                params=params,
                says=lambda said: isinstance(said.get("results"), list),
            )
        except NotThereError:
            return []
        return [dict(one) for one in records(found.get("results"))]


def ranges_of(results: Sequence[object], *, seconds: float) -> list[SkipRange]:
    """Return what can be skipped in a file of this length, earliest first.

    A file that is longer than the marked one most likely has something before it, so ranges are shifted by the
    difference; should that push one out of the file, they are left where they were, and none is exact.
    """
    raw = [one for one in map(_raw, results) if one is not None]
    shifted = [(kind, start + seconds - length, end + seconds - length, length) for kind, start, end, length in raw]
    fits = all(start >= 0 and end <= seconds + 1 for _, start, end, _ in shifted)
    found: dict[SkipKind, SkipRange] = {}
    for kind, start, end, length in shifted if fits else raw:
        is_exact = fits and abs(seconds - length) <= _EXACT_WITHIN
        if _is_sane(start, end, seconds):
            begin = 0.0 if start <= _SNAP_TO_START else start
            found.setdefault(kind, SkipRange(kind, begin, min(end, seconds), is_exact))
    opening, ending = found.get(SkipKind.OPENING), found.get(SkipKind.ENDING)
    if opening and ending and ending.start <= opening.end:
        del found[SkipKind.ENDING]
    return sorted(found.values(), key=lambda one: one.start)


def _raw(result: object) -> tuple[SkipKind, float, float, float] | None:
    fields = record(result)
    kind = _KINDS.get(text(fields.get("skipType")))
    interval = record(fields.get("interval"))
    values = (interval.get("startTime"), interval.get("endTime"), fields.get("episodeLength"))
    numbers = [float(one) for one in values if isinstance(one, int | float) and abs(one) <= _LONGEST_FILE]
    return (kind, numbers[0], numbers[1], numbers[2]) if kind and len(numbers) == 3 else None


def _is_sane(start: float, end: float, seconds: float) -> bool:
    return 0 <= start < end <= seconds + 1 and _SHORTEST <= end - start <= _LONGEST


class Shelf(Protocol):
    """Where answers are kept; see `NumberingStore`."""

    async def skip_times(self, mal: int, episode: int, *, length_s: int) -> tuple[object, datetime] | None: ...
    async def save_skip_times(self, mal: int, episode: int, *, length_s: int, ranges: object, at: datetime) -> None: ...


class Titles(Protocol):
    """Titles with their entries, as `Titles` has them."""

    async def with_episodes(self, series_id: str) -> Title: ...


class Numbering(Protocol):
    """What finds the entry of an episode of TMDb; see `Numbering`."""

    async def entry_of(self, key: EpisodeKey) -> EntryEpisode | None: ...


class Skipping:
    """The use case: ranges of an episode for a file of some length.

    Playback never waits long for them: what comes later is kept, and there when it is asked for again.
    """

    def __init__(
        self,
        aniskip: AniSkip,
        *,
        shelf: Shelf,
        titles: Titles,
        numbering: Numbering,
        flights: Flights,
        clock: Clock,
    ) -> None:
        self._aniskip = aniskip
        self._shelf = shelf
        self._titles = titles
        self._numbering = numbering
        self._flights = flights
        self._clock = clock

    async def ranges(self, key: EpisodeKey, *, duration: timedelta) -> list[SkipRange]:
        """Return what can be skipped; nothing where the length or the entry is not known, or AniSkip is down."""
        seconds = duration.total_seconds()
        if seconds <= 0:
            # 0 would ask for any cut, and get an arbitrary one.
            return []
        episode = await self._entry(key)
        if episode is None:
            return []
        return ranges_of(await self._results(episode, seconds), seconds=seconds)

    async def _entry(self, key: EpisodeKey) -> EntryEpisode | None:
        if not key.series_id.startswith("mal:anime:"):
            return await self._numbering.entry_of(key) if key.series_id.startswith("tmdb:tv:") else None
        entry = (await self._titles.with_episodes(key.series_id)).series.entry_of(key.season)
        return EntryEpisode(entry, key.episode) if entry else None

    async def _results(self, episode: EntryEpisode, seconds: float) -> Sequence[object]:
        length_s, now = round(seconds), self._clock.now()
        kept = await self._shelf.skip_times(episode.entry, episode.episode, length_s=length_s)
        old = kept[0] if kept and isinstance(kept[0], list) else []
        if kept and now - kept[1] < (_KEPT if old else _KEPT_EMPTY):
            return old
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await self._flights.join(("skip", episode, length_s), lambda: self._ask(episode, seconds))
        except (Failure, TimeoutError):
            return old

    async def _ask(self, episode: EntryEpisode, seconds: float) -> Sequence[object]:
        found, now = await self._aniskip.ask(episode, seconds=seconds), self._clock.now()
        await self._shelf.save_skip_times(episode.entry, episode.episode, length_s=round(seconds), ranges=found, at=now)
        return found
