"""Handing torrents over: a node that is about to stop gives them, with their holders, to nodes that stay.

The new owner is told where the old one answers as a BitTorrent peer, and fetches from there what is already here. Then
the ownership moves, and readers are led to the new owner. All of it takes bounded time: a swarm has the rest.
"""

import asyncio
import ipaddress
import socket
from contextlib import suppress
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from structlog.typing import FilteringBoundLogger
from vod.stream.v1 import stream_service_pb2 as pb2

from vod_rpc import Failure, deadline
from vod_stream_node.domain import Infohash, PinKey, PinRequest, PinStatus, Purpose, WaitFor, parse_infohash, short
from vod_stream_node.engine import Engine
from vod_stream_node.errors import PurposeMissing
from vod_stream_node.fleet import FORWARDED, Fleet
from vod_stream_node.magnets import Reach, rebuild
from vod_stream_node.pins import Pins
from vod_stream_node.placement import Member
from vod_stream_node.recipes import Recipes

TORRENT_GIVEN = "torrent_given"
TORRENT_ADOPTED = "torrent_adopted"
TORRENT_NOT_GIVEN = "torrent_not_given"

_ADOPT_WITHIN = timedelta(seconds=5)
_LOOK_SECONDS = 0.25
_PURPOSES = {pb2.PURPOSE_CURRENT: Purpose.CURRENT, pb2.PURPOSE_NEXT: Purpose.NEXT}
_TO_PROTO = {purpose: number for number, purpose in _PURPOSES.items()}


class Handover:
    """Gives this node's torrents away, and takes those of others."""

    def __init__(
        self, fleet: Fleet, recipes: Recipes, *, engine: Engine, pins: Pins, reach: Reach, log: FilteringBoundLogger
    ) -> None:
        self._fleet = fleet
        self._recipes = recipes
        self._engine = engine
        self._pins = pins
        self._reach = reach
        self._log = log

    # The side that stays.

    async def adopt(self, request: pb2.AdoptTorrentRequest) -> None:
        """Take a torrent over with all claims on it, and begin to fetch it from its old owner.

        Raises:
            NodeDraining, TorrentRefused, StorageFailed
        """
        infohash = parse_infohash(request.infohash)
        if request.recipe:
            await self._recipes.take(infohash, request.recipe)
        for claim in request.claims:
            purpose = _PURPOSES.get(claim.purpose)
            if purpose is None:
                raise PurposeMissing("A pin has a purpose: CURRENT or NEXT.")
            await self._pins.ensure(
                PinRequest(
                    key=PinKey(infohash, claim.file_index),
                    magnet=rebuild("", infohash, reach=self._reach),
                    holder=claim.holder,
                    purpose=purpose,
                    wait_for=WaitFor.NOTHING,
                    ttl=claim.ttl.ToTimedelta(),
                ),
                within=_ADOPT_WITHIN,
            )
        await self.connect(infohash, request.peer)
        self._log.info(TORRENT_ADOPTED, infohash=short(infohash), claims=len(request.claims))

    async def connect(self, infohash: Infohash, peer: str) -> None:
        """Let a torrent of this session fetch from another node."""
        host, _, port = peer.rpartition(":")
        with suppress(OSError):  # a name that can't be resolved: the swarm remains
            found = await asyncio.get_running_loop().getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
            address = str(ipaddress.ip_address(found[0][4][0]))
            await self._engine.connect(infohash, address, int(port))

    # The side that goes.

    async def give_all(self, *, within: timedelta) -> None:
        """Give all pinned torrents to nodes that stay; return when they have what is here, or when the time is over."""
        await self._fleet.directory.renew()  # says that we are draining
        given: dict[PinKey, tuple[Member, PinStatus]] = {}
        with suppress(TimeoutError):
            async with asyncio.timeout(within.total_seconds()):
                by_torrent: dict[Infohash, list[PinStatus]] = {}
                for status in await self._pins.statuses():
                    by_torrent.setdefault(status.key.infohash, []).append(status)
                for infohash, statuses in by_torrent.items():
                    receiver = await self._give(infohash, statuses, within)
                    if receiver is not None:
                        given |= {status.key: (receiver, status) for status in statuses}
                await self._until_fetched(given)
        for infohash, receiver in {key.infohash: receiver for key, (receiver, _) in given.items()}.items():
            await self._fleet.ownership.give(infohash, receiver.name)
            self._log.info(TORRENT_GIVEN, infohash=short(infohash), node=receiver.name)

    async def _give(self, infohash: Infohash, statuses: list[PinStatus], within: timedelta) -> Member | None:
        receiver = self._fleet.another(infohash)
        if receiver.name == self._fleet.directory.me.name:
            return None  # nobody stays
        recipe = await self._recipes.of(infohash)
        request = pb2.AdoptTorrentRequest(
            infohash=infohash,
            recipe=recipe.data if recipe else b"",
            peer=self._fleet.directory.me.peer,
            claims=[
                pb2.AdoptedClaim(
                    file_index=status.key.file_index,
                    holder=holder,
                    purpose=_TO_PROTO[claim.purpose],
                    ttl=_duration(claim.ttl),
                )
                for status in statuses
                for holder, claim in status.claims.items()
            ],
        )
        try:
            with deadline(min(within, _ADOPT_WITHIN)):
                await self._fleet.at(receiver, lambda node: node.AdoptTorrent(request, metadata=(FORWARDED,)))
        except Failure as failure:
            self._log.warning(TORRENT_NOT_GIVEN, infohash=short(infohash), node=receiver.name, reason=failure.reason)
            return None
        return receiver

    async def _until_fetched(self, given: dict[PinKey, tuple[Member, PinStatus]]) -> None:
        """Wait until the receivers have of every file what is here, without the readers' part that still comes."""
        receivers = {receiver.name: receiver for receiver, _ in given.values()}
        waiting = {key: status.downloaded_bytes for key, (_, status) in given.items()}
        while waiting:
            for receiver in receivers.values():
                for pin in await self._pins_at(receiver):
                    key = PinKey(Infohash(pin.infohash), pin.file_index)
                    if pin.downloaded_bytes >= waiting.get(key, 0):
                        waiting.pop(key, None)
            if waiting:
                await asyncio.sleep(_LOOK_SECONDS)

    async def _pins_at(self, receiver: Member) -> list[pb2.Pin]:
        try:
            with deadline(_ADOPT_WITHIN):
                answer = await self._fleet.at(
                    receiver, lambda node: node.ListPins(pb2.ListPinsRequest(), metadata=(FORWARDED,))
                )
        except Failure:
            return []
        return list(answer.pins)


def _duration(length: timedelta) -> Duration:
    duration = Duration()
    duration.FromTimedelta(length)
    return duration
