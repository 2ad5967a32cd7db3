"""Taking over the torrents of a node that is gone: one after the other is not how its viewers wait."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
from prometheus_client import CollectorRegistry

from vod_stream_node.domain import Infohash, PinKey, PinRequest
from vod_stream_node.magnets import Reach
from vod_stream_node.metrics import Metrics
from vod_stream_node.placement import Member
from vod_stream_node.takeover import Takeover
from vod_stream_node.tokens import Grant
from vod_testing import eventually

ME = Member(name="node-a", target="", public_base="", peer="")
STUCK, QUICK = Infohash("a" * 40), Infohash("b" * 40)


@dataclass
class Node:
    """All that a takeover needs: a node that knows every torrent, and others that are gone."""

    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[Infohash] = field(default_factory=list)
    owned: list[Infohash] = field(default_factory=list)
    me: Member = ME

    @property
    def directory(self) -> "Node":
        return self

    @property
    def ownership(self) -> "Node":
        return self

    @property
    def torrents(self) -> dict[Infohash, Any]:
        return {}

    async def owner(self, infohash: Infohash) -> Member | None:
        return None

    async def give(self, infohash: Infohash, name: str) -> None:
        self.owned.append(infohash)

    def holds(self, infohash: Infohash) -> bool:
        return True

    async def ensure(self, request: PinRequest, *, within: object) -> None:
        self.asked.append(request.key.infohash)
        if request.key.infohash == STUCK:
            await self.may_go_on.wait()


def grant(infohash: Infohash) -> Grant:
    return Grant(PinKey(infohash, 0), "session-1", datetime(2026, 11, 22, tzinfo=UTC))


async def test_a_torrent_that_can_not_be_had_soon_holds_up_no_other() -> None:
    node: Any = Node()
    log, metrics = structlog.get_logger(), Metrics(CollectorRegistry())
    takeover = Takeover(
        node, node, node, engine=node, store=node, pins=node, reach=Reach.ANYWHERE, metrics=metrics, log=log
    )
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        readers = [group.create_task(takeover.settle(grant(one), hint="gone")) for one in (STUCK, STUCK)]
        await eventually(lambda: None if node.asked else "nobody has come yet", within=30)
        await takeover.settle(grant(QUICK), hint="gone")
        owned = list(node.owned)
        node.may_go_on.set()

    assert owned == [QUICK]
    assert [reader.result() for reader in readers] == [None, None]
