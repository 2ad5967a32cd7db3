"""Whose next episode lies ready: one list for all who ask, and never old news to who has lost something."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field

from vod_prefetch.domain import SessionId
from vod_prefetch.held import LISTED_EVERY, Held
from vod_rpc import Unavailable
from vod_testing import MovableClock, eventually

ONE, TWO = SessionId("s1"), SessionId("s2")


@dataclass
class Nodes:
    """The stream nodes, as one list of pins."""

    ready: set[SessionId] = field(default_factory=set)
    listed: int = 0
    away: bool = False
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_answer.set()

    async def ready_for(self) -> Collection[SessionId]:
        self.listed += 1
        await self.may_answer.wait()
        if self.away:
            raise Unavailable("no node answers")
        return list(self.ready)


async def test_one_list_answers_for_all_whose_episode_is_ready_for_some_seconds() -> None:
    nodes, clock = Nodes(ready={ONE, TWO}), MovableClock()
    held = Held(nodes, clock=clock)

    answers = [await held.is_ready(session) for session in (ONE, TWO, ONE)]
    at_first = nodes.listed
    clock.advance(LISTED_EVERY)
    nodes.ready = {TWO}
    later = [await held.is_ready(session) for session in (ONE, TWO)]

    assert (answers, at_first) == ([True, True, True], 1)
    assert later == [False, True]


async def test_that_something_is_not_ready_is_never_old_news() -> None:
    nodes = Nodes()
    held = Held(nodes, clock=MovableClock())
    before = await held.is_ready(ONE)
    nodes.ready = {ONE}

    assert (before, await held.is_ready(ONE)) == (False, True)


async def test_who_asks_while_a_list_is_on_its_way_shares_the_next_one() -> None:
    nodes = Nodes(ready={ONE})
    nodes.may_answer.clear()
    held = Held(nodes, clock=MovableClock())
    asking = [asyncio.ensure_future(held.is_ready(SessionId(f"s{number}"))) for number in range(1, 6)]
    await eventually(lambda: None if nodes.listed else "nobody asked", within=30)
    nodes.may_answer.set()

    assert await asyncio.gather(*asking) == [True, False, False, False, False]
    assert nodes.listed <= 2


async def test_nothing_is_ready_while_no_node_answers() -> None:
    nodes = Nodes(ready={ONE})
    clock = MovableClock()
    held = Held(nodes, clock=clock)
    before = await held.is_ready(ONE)
    clock.advance(LISTED_EVERY)
    nodes.away = True

    assert (before, await held.is_ready(ONE)) == (True, False)
