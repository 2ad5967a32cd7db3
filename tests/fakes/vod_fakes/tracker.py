"""A small HTTP BitTorrent tracker (BEP 3, compact peers of BEP 23) that takes any torrent."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast
from urllib.parse import parse_qsl

import libtorrent as lt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vod_fakes.control import Control

_INTERVAL_SECONDS = 300
_FORGET_SECONDS = 2 * _INTERVAL_SECONDS
_NUMWANT = 50


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody who announced; `left` is 0 for a seed."""

    host: str
    port: int
    peer_id: bytes
    left: int
    seen: float

    @property
    def compact(self) -> bytes:
        """The six bytes of BEP 23."""
        return ipaddress.IPv4Address(self.host).packed + self.port.to_bytes(2, "big")


@dataclass(slots=True)
class Tracker:
    """Who is in which swarm. `url` is the announce URL once it is served."""

    control: Control = field(default_factory=Control)
    url: str = ""
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _swarms: dict[str, dict[tuple[str, int], Peer]] = field(default_factory=dict)

    def app(self) -> Starlette:
        """The HTTP application."""
        # libtorrent speaks to a tracker on loopback only if its path is /announce (SSRF mitigation)
        return Starlette(routes=[Route("/announce", self._announce), Route("/scrape", self._scrape)])

    def peers(self, infohash: str) -> list[Peer]:
        """Who is known to be in the swarm of this v1 infohash (40 hex digits)."""
        earliest = time.monotonic() - _FORGET_SECONDS
        return [peer for peer in self._swarms.get(infohash, {}).values() if peer.seen >= earliest]

    async def has_peers(self, infohashes: Iterable[str], *, within: timedelta) -> None:
        """Wait until somebody is in each of these swarms; TimeoutError after `within`."""
        waiting = set(infohashes)
        async with asyncio.timeout(within.total_seconds()), self._changed:
            await self._changed.wait_for(lambda: all(self.peers(infohash) for infohash in waiting))

    async def _announce(self, request: Request) -> Response:
        query = dict(parse_qsl(request.url.query, keep_blank_values=True, encoding="latin-1"))
        try:
            infohash = _hash(query)
            peer = _peer(query, request.client.host if request.client else "127.0.0.1")
            wanted = int(query.get("numwant", _NUMWANT))
        except (KeyError, ValueError) as problem:
            return _bencoded({"failure reason": f"missing or bad parameter: {problem}".encode()})
        async with self._changed:
            self._remember(infohash, peer, query.get("event", ""))
            self._changed.notify_all()
        others = [p for p in self.peers(infohash) if (p.host, p.port) != (peer.host, peer.port) and p.left + peer.left]
        return _bencoded(self._answer(infohash, others[: max(0, wanted)], query.get("compact", "1")))

    def _remember(self, infohash: str, peer: Peer, event: str) -> None:
        swarm = self._swarms.setdefault(infohash, {})
        if event == "stopped":
            swarm.pop((peer.host, peer.port), None)
        else:
            swarm[peer.host, peer.port] = peer

    def _answer(self, infohash: str, others: list[Peer], compact: str) -> dict[str, object]:
        everybody = self.peers(infohash)
        return {
            "interval": _INTERVAL_SECONDS,
            "complete": sum(peer.left == 0 for peer in everybody),
            "incomplete": sum(peer.left > 0 for peer in everybody),
            "peers": (
                b"".join(peer.compact for peer in others)
                if compact != "0"
                else [{"peer id": peer.peer_id, "ip": peer.host.encode(), "port": peer.port} for peer in others]
            ),
        }

    async def _scrape(self, request: Request) -> Response:
        asked = [
            value.encode("latin-1")
            for name, value in parse_qsl(request.url.query, encoding="latin-1")
            if name == "info_hash"
        ]
        files: dict[bytes, object] = {}
        for raw in asked or [bytes.fromhex(infohash) for infohash in self._swarms]:
            everybody = self.peers(raw.hex())
            seeds = sum(peer.left == 0 for peer in everybody)
            files[raw] = {"complete": seeds, "downloaded": seeds, "incomplete": len(everybody) - seeds}
        return _bencoded({"files": files})


def _hash(query: dict[str, str]) -> str:
    raw = query["info_hash"].encode("latin-1")
    if len(raw) != 20:
        raise ValueError("info_hash")
    return raw.hex()


def _peer(query: dict[str, str], host: str) -> Peer:
    port = int(query["port"])
    if not 0 < port < 65536:
        raise ValueError("port")
    return Peer(
        host=host,
        port=port,
        peer_id=query["peer_id"].encode("latin-1"),
        left=max(0, int(query.get("left", "0"))),
        seen=time.monotonic(),
    )


def _bencoded(answer: dict[str, object]) -> Response:
    return Response(lt.bencode(cast(Any, answer)), media_type="text/plain")
