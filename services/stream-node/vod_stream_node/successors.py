"""Where a viewer's bytes come from after his file was replaced by another: an address per file and holder.

A read that has sent nothing yet is redirected there (307), even one that waits in this moment; what has begun to send
can't be: one answer has the bytes of one file.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vod_stream_node.domain import PinKey

_MOST = 10_000
Held = tuple[PinKey, str]
"""A file and who holds it."""


class Successors:
    """The replaced files of a node, the latest ones; in memory, like pins."""

    def __init__(self) -> None:
        self._addresses: dict[Held, str] = {}
        self._waiting: dict[Held, dict[asyncio.Timeout, Callable[[], bool]]] = {}

    def of(self, held: Held) -> str | None:
        """Return where to go instead; None: the file is still the holder's."""
        return self._addresses.get(held)

    def replace(self, held: Held, address: str) -> None:
        """Send a holder's reads elsewhere from now on; those that wait end as if their time was over."""
        self._addresses.pop(held, None)
        self._addresses[held] = address
        if len(self._addresses) > _MOST:
            del self._addresses[next(iter(self._addresses))]
        for patience, waits in self._waiting.get(held, {}).items():
            if waits():
                patience.reschedule(asyncio.get_running_loop().time())

    def forget(self, held: Held) -> None:
        """Let a holder have the file again."""
        self._addresses.pop(held, None)

    @contextmanager
    def interrupting(self, held: Held, patience: asyncio.Timeout, *, waits: Callable[[], bool]) -> Iterator[None]:
        """Let *patience* end when the holder's file is replaced meanwhile, if the read *waits* then."""
        self._waiting.setdefault(held, {})[patience] = waits
        try:
            yield
        finally:
            del self._waiting[held][patience]
            if not self._waiting[held]:
                del self._waiting[held]
