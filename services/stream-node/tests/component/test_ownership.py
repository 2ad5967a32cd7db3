"""What a node remembers of who owns a torrent."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from redis.asyncio import Redis

from vod_runtime import Runtime
from vod_stream_node.domain import Infohash
from vod_stream_node.ownership import Ownership
from vod_stream_node.register import Register

INFOHASH = Infohash("a" * 40)


class Late(Register):
    """A register whose answers take their time on the way back."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self.asked, self.arrives = asyncio.Event(), asyncio.Event()

    def key(self, *parts: str) -> str:
        return self.register.key(*parts)

    async def ask(self, question: Callable[[Redis], Awaitable[Any]]) -> Any:
        answer = await self.register.ask(question)
        self.asked.set()
        await self.arrives.wait()
        return answer


async def test_an_answer_from_before_a_torrent_was_given_away_changes_nothing(redis_url: str, runtime: Runtime) -> None:
    async with Redis.from_url(redis_url) as redis, asyncio.TaskGroup() as group:
        register = Late(Register(redis, fleet="one", clock=runtime.clock, log=runtime.log))
        hour = timedelta(hours=1)
        node = Ownership(register, me="node-a", trust=hour, recipe_ttl=hour, clock=runtime.clock)
        renewing = group.create_task(node.renew([INFOHASH]))
        await register.asked.wait()
        register.asked.clear()
        giving = group.create_task(node.give(INFOHASH, "node-b"))
        await register.asked.wait()
        register.arrives.set()
        await asyncio.wait([renewing, giving])

        assert await node.owner(INFOHASH) == "node-b"
