"""The fleet: finds or chooses the node that serves a torrent, and calls it.

Any node answers any call; the owner does the work. A call that was forwarded is never forwarded again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from structlog.typing import FilteringBoundLogger
from vod.stream.v1.stream_service_pb2_grpc import StreamServiceStub

from vod_rpc import DeadlineExceeded, Failure, Unavailable, channel, time_left
from vod_runtime import Runtime
from vod_stream_node.directory import Directory
from vod_stream_node.domain import Infohash, short
from vod_stream_node.errors import DiskFull, NodeDraining, StorageFailed
from vod_stream_node.ownership import Ownership
from vod_stream_node.placement import Member, place

if TYPE_CHECKING:  # asynchronous stubs are types only
    from vod.stream.v1.stream_service_pb2_grpc import StreamServiceAsyncStub

TORRENT_PLACED = "torrent_placed"
FORWARDED = ("vod-forwarded", "1")
"""Metadata of a call that a node makes to another."""
_LOOK_SECONDS = 0.5

T = TypeVar("T")
Call = Callable[["StreamServiceAsyncStub"], Awaitable[T]]


class Lines:
    """Channels to the other nodes, opened when they are needed. Made by `lines()`."""

    def __init__(self, stack: AsyncExitStack, runtime: Runtime) -> None:
        self._stack = stack
        self._runtime = runtime
        self._opening = asyncio.Lock()
        self._stubs: dict[str, StreamServiceAsyncStub] = {}

    async def to(self, member: Member) -> "StreamServiceAsyncStub":
        """Return the stub of a node."""
        async with self._opening:
            if member.target not in self._stubs:
                opened = await self._stack.enter_async_context(channel(member.target, self._runtime))
                self._stubs[member.target] = StreamServiceStub(opened)
        return self._stubs[member.target]


@asynccontextmanager
async def lines(runtime: Runtime) -> AsyncIterator[Lines]:
    """Keep channels to other nodes open until the caller leaves the context."""
    async with AsyncExitStack() as stack:
        yield Lines(stack, runtime)


class Fleet:
    """This node and the others."""

    def __init__(self, directory: Directory, ownership: Ownership, *, lines: Lines, log: FilteringBoundLogger) -> None:
        self.directory = directory
        self.ownership = ownership
        self._lines = lines
        self._log = log

    async def owner(self, infohash: Infohash) -> Member | None:
        """Return the living owner of a torrent, None when there is none."""
        name = await self.ownership.owner(infohash)
        return self.directory.living(name) if name is not None else None

    async def owner_now(self, infohash: Infohash) -> Member | None:
        """Return the living owner as the register has him in this moment; None also when that can't be known."""
        name = await self.ownership.owner_now(infohash)
        return self.directory.living(name) if name is not None else None

    async def is_elsewhere(self, infohash: Infohash) -> bool:
        """Tell whether another living node owns a torrent in this moment, as far as that can be known."""
        owner = await self.owner_now(infohash)
        return owner is not None and not self._is_me(owner)

    async def serving(self, infohash: Infohash) -> Member:
        """Return the node on which a torrent is to be pinned: its owner, or the one that becomes it now."""
        name = await self.ownership.owner(infohash)
        owner = self.directory.living(name) if name is not None else None
        if owner is not None and not owner.draining:
            return owner
        chosen = self.likely(infohash)
        if name is None:
            chosen = self.directory.living(await self.ownership.claim(infohash, chosen.name)) or chosen
        else:
            await self.ownership.give(infohash, chosen.name)
        self._log.info(TORRENT_PLACED, infohash=short(infohash), node=chosen.name)
        return chosen

    def likely(self, infohash: Infohash) -> Member:
        """Return the node on which a torrent without an owner belongs."""
        me = self.directory.me
        return place(infohash, (me, *self.directory.others)) or me

    def another(self, infohash: Infohash) -> Member:
        """Return the node to which this one's torrent goes; this one when nobody else stays."""
        return place(infohash, self.directory.others) or self.directory.me

    async def at(self, member: Member, call: Call[T]) -> T:
        """Call another node; give up when it leaves the directory meanwhile.

        Raises:
            Unavailable: of the domain `grpc`, when it does not answer; it counts as dead then.
            Failure: what the node raised.
        """
        stub = await self._lines.to(member)
        try:
            return await self._while_living(member, _awaited(call(stub)))
        except Unavailable as failure:
            if failure.domain == "grpc":
                self.directory.suspect(member.name)
            raise

    async def anywhere(self, infohash: Infohash, *, own: Callable[[], Awaitable[T]], call: Call[T]) -> T:
        """Have a torrent pinned by its owner, or by the next best node if that one is gone, drained or out of disk.

        Another one owns it only when it has it: were it given to one after the other, readers would be led to and fro.
        """
        member, tried, whole = await self.serving(infohash), set[str](), time_left()
        while True:
            try:
                with _asked_after(whole):
                    answer = await (own() if self._is_me(member) else self.at(member, call))
                break
            except Unavailable as failure:
                tried.add(member.name)
                another = self._instead(infohash, failure, tried)
                if another is None:
                    raise
                member = another
        if tried:
            await self.ownership.give(infohash, member.name)
            self._log.info(TORRENT_PLACED, infohash=short(infohash), node=member.name)
        return answer

    async def where_it_is(self, infohash: Infohash, *, own: Callable[[], Awaitable[T]], call: Call[T]) -> T:
        """Ask about what is here of a torrent: its owner if there is one, else this node."""
        return await self._at_or_here(await self.owner(infohash) or self.directory.me, own=own, call=call)

    async def where_it_would_be(self, infohash: Infohash, *, own: Callable[[], Awaitable[T]], call: Call[T]) -> T:
        """Have something done where the torrent is or would be pinned, without making anybody its owner."""
        return await self._at_or_here(await self.owner(infohash) or self.likely(infohash), own=own, call=call)

    async def everywhere(self, call: Call[T]) -> list[T]:
        """Ask all other nodes at once; those that fail are left out."""

        async def one(member: Member) -> T | None:
            try:
                return await self.at(member, call)
            except Failure:
                return None

        answers = await asyncio.gather(*(one(member) for member in self.directory.others))
        return [answer for answer in answers if answer is not None]

    async def _at_or_here(self, member: Member, *, own: Callable[[], Awaitable[T]], call: Call[T]) -> T:
        if self._is_me(member):
            return await own()
        whole = time_left()
        try:
            return await self.at(member, call)
        except Unavailable as failure:
            if not _helps_to_go_on(failure):
                raise
            with _asked_after(whole):
                return await own()

    def _is_me(self, member: Member) -> bool:
        return member.name == self.directory.me.name

    def _instead(self, infohash: Infohash, failure: Unavailable, tried: Collection[str]) -> Member | None:
        """Return the next node to ask after a failure; None when that would not help."""
        left = [one for one in (self.directory.me, *self.directory.others) if one.name not in tried]
        if failure.reason == DiskFull.reason:
            left = [one for one in left if not one.full]
        return place(infohash, left) if _helps_to_go_on(failure) else None

    async def _while_living(self, member: Member, call: Coroutine[Any, Any, T]) -> T:
        """Wait for an answer as long as the node renews its lease: one that froze answers nobody."""
        asked = asyncio.ensure_future(call)
        try:
            while not (await asyncio.wait([asked], timeout=_LOOK_SECONDS))[0]:
                if self.directory.living(member.name) is None:
                    raise Unavailable("The node does not answer.", domain="grpc", metadata={"node": member.name})
            return await asked
        finally:
            asked.cancel()


@contextmanager
def _asked_after(whole: timedelta | None) -> Iterator[None]:
    """Call no swarm silent for which less than half of the time was left, because another node did not answer."""
    left = time_left()
    try:
        yield
    except DeadlineExceeded as late:
        if whole is None or left is None or left >= whole / 2:
            raise
        raise DeadlineExceeded("A node did not answer, and there was little time left for another one.") from late


async def _awaited(call: Awaitable[T]) -> T:
    return await call


def _helps_to_go_on(failure: Unavailable) -> bool:
    return failure.domain == "grpc" or failure.reason in {NodeDraining.reason, StorageFailed.reason, DiskFull.reason}
