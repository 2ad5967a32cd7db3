"""The directory of stream nodes: each renews a short lease in the register, and reads those of the others.

    nodes           names that may have a lease
    node:{name}     what the node tells about itself; gone when it does not renew it

While the register is away, the members of the last look stay: whether one still lives shows when it is called.
A register that was flushed is filled again by the next renewals; members seen within a lease's length are kept for it.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta

from redis.asyncio import Redis
from structlog.typing import FilteringBoundLogger

from vod_runtime import Clock
from vod_stream_node.placement import Member
from vod_stream_node.register import Register, RegisterAway, text

NODE_JOINED = "node_joined"
NODE_LEFT = "node_left"
NODE_SUSPECTED = "node_suspected"
NODE_NAME_TAKEN = "node_name_taken"
_TWICE = 2


class Directory:
    """Which other nodes there are."""

    def __init__(
        self,
        register: Register,
        *,
        me: Callable[[], Member],
        lease: timedelta,
        clock: Clock,
        log: FilteringBoundLogger,
    ) -> None:
        self._register = register
        self._me = me
        self._lease = lease
        self._clock = clock
        self._log = log
        self._seen: dict[str, tuple[Member, float]] = {}
        self._suspected_until: dict[str, float] = {}
        self._overwritten = 0

    @property
    def me(self) -> Member:
        """This node, as it is now."""
        return self._me()

    @property
    def others(self) -> list[Member]:
        """The other nodes that live, as far as is known."""
        now = self._clock.monotonic()
        return [member for member, _ in self._seen.values() if self._suspected_until.get(member.name, 0.0) <= now]

    def living(self, name: str) -> Member | None:
        """Return the node of that name if it lives; this one always does."""
        me = self._me()
        if name == me.name:
            return me
        return next((member for member in self.others if member.name == name), None)

    def suspect(self, name: str) -> None:
        """Note that a node does not answer: for the length of a lease it counts as dead."""
        self._suspected_until[name] = self._clock.monotonic() + self._lease.total_seconds()
        self._log.warning(NODE_SUSPECTED, node=name)

    async def renew(self) -> None:
        """Renew this node's lease and look at those of the others; nothing happens while the register is away."""
        try:
            found = await self._register.ask(self._renewed)
        except RegisterAway:
            return
        now = self._clock.monotonic()
        for member in found:
            if member.name not in self._seen:
                self._log.info(NODE_JOINED, node=member.name)
            self._seen[member.name] = (member, now)
        for name, (_, seen_at) in list(self._seen.items()):
            if now - seen_at > self._lease.total_seconds():
                del self._seen[name]
                self._log.info(NODE_LEFT, node=name)

    async def leave(self) -> None:
        """Give up this node's lease, so that nobody has to wait until it is over."""
        name = self._me().name

        async def forget(redis: Redis) -> None:
            await redis.delete(self._key(name))
            await redis.srem(self._register.key("nodes"), name)

        try:
            await self._register.ask(forget)
        except RegisterAway:
            return

    def _key(self, name: str) -> str:
        return self._register.key("node", name)

    async def _renewed(self, redis: Redis) -> list[Member]:
        me = self._me()
        async with redis.pipeline(transaction=False) as pipe:
            lease = int(self._lease.total_seconds() * 1000)
            pipe.set(self._key(me.name), json.dumps(asdict(me)), px=lease, get=True)
            pipe.sadd(self._register.key("nodes"), me.name)
            pipe.smembers(self._register.key("nodes"))
            before, _, listed = await pipe.execute()
        self._look_for_double(_member(before) if before else None, me)
        names = sorted({text(name) for name in listed} - {me.name})
        if not names:
            return []
        leases = await redis.mget([self._key(name) for name in names])
        over = [name for name, lease in zip(names, leases, strict=True) if lease is None]
        if over:
            await redis.srem(self._register.key("nodes"), *over)  # one that comes back lists itself again
        return [member for lease in leases if lease is not None and (member := _member(lease))]

    def _look_for_double(self, before: Member | None, me: Member) -> None:
        """Warn when another node has this one's name: their leases overwrite each other again and again."""
        if before is None or before.target == me.target:
            self._overwritten = 0
            return
        self._overwritten += 1
        if self._overwritten == _TWICE:  # once is a restart at another address
            self._log.error(NODE_NAME_TAKEN, node=me.name, by=before.target)


def _member(lease: bytes | str) -> Member | None:
    """Read a lease; None when another version of us wrote it in a way that this one can't read."""
    try:
        return Member(**json.loads(lease))
    except (ValueError, TypeError):
        return None
