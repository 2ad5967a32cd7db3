"""Entries of MyAnimeList follow each other: where such a chain begins, and what goes on from an entry."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from vod_catalog.upstream import NotThereError

_LONGEST = 30


class Link(Protocol):
    """An entry with what comes before and after it."""

    @property
    def number(self) -> int: ...
    @property
    def is_serial(self) -> bool:
        """Whether it is a season; a film between two seasons is none, but leads on to the next one."""
        ...

    @property
    def prequels(self) -> Sequence[int]: ...
    @property
    def sequels(self) -> Sequence[int]: ...


L = TypeVar("L", bound=Link)
Read = Callable[[int], Awaitable[L]]
"""Returns an entry; raises NotThereError if there is no such entry, which ends no chain but that way on."""


async def beginning_of(asked: L, read: Read[L]) -> L:
    """Return the first season of the chain that an entry belongs to; itself, if it is no season."""
    begins, seen = asked, {asked.number}
    waiting = list(asked.prequels) if asked.is_serial else []
    while waiting and len(seen) < _LONGEST:
        entry = await _if_there(waiting.pop(0), read)
        if entry is None or entry.number in seen:
            continue
        seen.add(entry.number)
        if entry.is_serial:
            begins, waiting = entry, list(entry.prequels)
        else:
            waiting += entry.prequels
    return begins


async def seasons_from(first: L, read: Read[L]) -> list[L]:
    """Return an entry and the seasons that go on from it; only itself, if it is no season."""
    chain, seen = [first], {first.number}
    waiting = list(first.sequels) if first.is_serial else []
    while waiting and len(seen) < _LONGEST:
        entry = await _if_there(waiting.pop(0), read)
        if entry is None or entry.number in seen:
            continue
        seen.add(entry.number)
        if entry.is_serial:
            chain.append(entry)
            waiting = list(entry.sequels)
        else:
            waiting += entry.sequels
    return chain


async def _if_there(number: int, read: Read[L]) -> L | None:
    try:
        return await read(number)
    except NotThereError:
        return None
