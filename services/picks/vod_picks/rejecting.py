"""The use case of rejecting: hold something against a pick, and let the next candidate take its place."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from vod_picks.domain import Pick, Profile
from vod_picks.errors import NoPlayableRelease, PickUnknown
from vod_picks.picks import Picks
from vod_picks.rejections import RejectionReason, RejectionScope, Strike
from vod_rpc import InvalidArgument


class Store(Protocol):
    """Where picks and profiles rest."""

    async def find(self, pick_id: int) -> Pick | None: ...

    async def served_by(self, infohash: str, file_index: int) -> Sequence[Pick]:
        """Return the picks in force that are one file of a torrent."""
        ...

    async def profile(self, profile_hash: str) -> Profile | None: ...


class Blocklist(Protocol):
    async def strike(self, strike: Strike) -> None:
        """Hold something against a pick."""
        ...


class RejectionCounter(Protocol):
    def __call__(self, reason: RejectionReason) -> None: ...


class Rejecting:
    """Rejects picks; `Picks` chooses what takes their places, and tells so."""

    def __init__(self, *, picks: Picks, store: Store, blocklist: Blocklist, count: RejectionCounter) -> None:
        self._picks = picks
        self._store = store
        self._blocklist = blocklist
        self._count = count

    async def stalled(self, infohash: str, file_index: int, *, at: datetime, explanation: str) -> None:
        """Reject every pick that is this file, and was made before it stalled."""
        picks = [pick for pick in await self._store.served_by(infohash, file_index) if pick.picked_at <= at]
        for pick in picks:
            await self._strike(Strike(pick, RejectionReason.STALLED, RejectionScope.TORRENT, explanation))
        async with asyncio.TaskGroup() as group:
            for pick in picks:
                group.create_task(self._successor(pick))

    async def reject(
        self, pick_id: int, *, reason: RejectionReason, scope: RejectionScope, explanation: str
    ) -> tuple[Pick, Pick | None]:
        """Reject a pick for a person; return it, and the one that is in force now, if any.

        Raises:
            PickUnknown: there never was such a pick.
            InvalidArgument: its group is to be rejected, and it names none.
        """
        pick = await self._store.find(pick_id)
        if pick is None:
            raise PickUnknown(f"There is no pick {pick_id}.", metadata={"pick_id": str(pick_id)})
        if scope is RejectionScope.GROUP and not pick.group:
            raise InvalidArgument("This release names no group.", reason="GROUP_UNKNOWN")
        if not pick.replaced:
            await self._strike(Strike(pick, reason, scope, explanation))
        successor = await self._successor(pick)
        return await self._store.find(pick_id) or pick, successor

    async def _strike(self, strike: Strike) -> None:
        await self._blocklist.strike(strike)
        self._count(strike.reason)

    async def _successor(self, pick: Pick) -> Pick | None:
        """Return what is in force in the place of a pick; None if nothing is left."""
        profile = await self._store.profile(pick.profile_hash)
        if profile is None:
            return None
        try:
            return await self._picks.ensure(pick.key, profile=profile)
        except NoPlayableRelease:
            return None
