"""A real libtorrent seeder on loopback: no DHT, no local discovery, no port mapping, only the tracker."""

from __future__ import annotations

import asyncio
import socket
import weakref
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import libtorrent as lt

from vod_fakes.serving import LOOPBACK
from vod_fakes.torrents import Torrent

UNLIMITED = 0


@dataclass(frozen=True, slots=True)
class _Seed:
    torrent: Torrent
    folder: Path
    tracker_url: str


@dataclass(slots=True, weakref_slot=True)
class Seeder:
    """Seeds files that lie complete on disk. Start it before use, stop it after; `port` 0 takes a free one."""

    port: int = 0
    upload_rate: int = UNLIMITED
    host: str = LOOPBACK
    """Where it listens and calls from: on Linux any 127.x.y.z, so that not all peers share one address."""
    _session: lt.session | None = None
    _kept: socket.socket | None = None
    """Has the port while the seeder is away."""
    _seeds: dict[str, _Seed] = field(default_factory=dict)
    _handles: dict[str, lt.torrent_handle] = field(default_factory=dict)

    @property
    def is_running(self) -> bool:
        """Whether peers can reach it."""
        return self._session is not None

    async def start(self) -> None:
        """Come (back) to the swarm, on the port of the last time; OSError if that port is taken."""
        if self._session is not None:
            return
        session = await asyncio.to_thread(self._open)
        _limit_local_peers_too(session)
        if not session.is_listening():
            raise OSError(f"The seeder cannot listen on port {self.port}")
        self.port = session.listen_port()
        self._session = session
        if self._kept is not None:
            self._kept.close()
        for seed in self._seeds.values():
            self._join(session, seed)

    async def stop(self) -> None:
        """Leave at once: every connection is cut. What was added is seeded again after the next start."""
        session, self._session = self._session, None
        self._handles.clear()
        if session is not None:
            last_reference = [session]
            del session
            # dropping a session waits for its threads
            await asyncio.to_thread(last_reference.clear)
            self._keep_port()

    def add(self, torrent: Torrent, folder: Path, tracker_url: str) -> None:
        """Seed a torrent whose files lie complete below `folder`."""
        seed = _Seed(torrent, folder, tracker_url)
        self._seeds[torrent.infohash] = seed
        if self._session is not None:
            self._join(self._session, seed)

    def remove(self, infohash: str) -> None:
        """Stop seeding one torrent; the files stay."""
        self._seeds.pop(infohash, None)
        handle = self._handles.pop(infohash, None)
        if handle is not None and self._session is not None:
            self._session.remove_torrent(handle)

    def limit_upload(self, bytes_per_second: int) -> None:
        """Change the rate for all peers together, from now on; UNLIMITED (0) for no limit."""
        self.upload_rate = bytes_per_second
        if self._session is not None:
            self._session.apply_settings({"upload_rate_limit": bytes_per_second})

    def uploaded(self, infohash: str) -> int:
        """How many payload bytes of this torrent went out since it was added or the seeder was started."""
        handle = self._handles.get(infohash)
        return int(handle.status().total_payload_upload) if handle is not None else 0

    def peers(self, infohash: str) -> int:
        """How many peers are connected for this torrent."""
        handle = self._handles.get(infohash)
        return int(handle.status().num_peers) if handle is not None else 0

    def _keep_port(self) -> None:
        """Bind the port without listening: nobody is given it who asks for any, and libtorrent may have it again."""
        kept = socket.socket()
        # Who stops it need not start it again.
        weakref.finalize(self, kept.close)
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # somebody was faster
            kept.bind((self.host, self.port))
        self._kept = kept

    def _open(self) -> lt.session:
        return lt.session(cast(Any, self._settings()))

    def _settings(self) -> dict[str, Any]:
        return {
            "listen_interfaces": f"{self.host}:{self.port}",
            "outgoing_interfaces": self.host,
            "enable_dht": False,
            "enable_lsd": False,
            "enable_upnp": False,
            "enable_natpmp": False,
            # most peers try uTP first: refusing it would cost every one of them seconds before it tries TCP
            "enable_incoming_utp": True,
            "enable_outgoing_utp": False,
            "allow_multiple_connections_per_ip": True,
            "upload_rate_limit": self.upload_rate,
            "unchoke_slots_limit": -1,
            # a seeder that is cut off says no goodbye to the tracker
            "stop_tracker_timeout": 0,
            "alert_mask": 0,
            "user_agent": "vod-fakes",
            # idle, it has nothing to do between two ticks
            "tick_interval": 500,
            "aio_threads": 2,
            "hashing_threads": 1,
            "active_seeds": -1,
            "active_limit": -1,
        }

    def _join(self, session: lt.session, seed: _Seed) -> None:
        params = lt.load_torrent_buffer(seed.torrent.metainfo(seed.tracker_url))
        params.save_path = str(seed.folder)
        params.flags = (params.flags | lt.torrent_flags.seed_mode) & ~(
            lt.torrent_flags.auto_managed | lt.torrent_flags.paused
        )
        self._handles[seed.torrent.infohash] = session.add_torrent(params)


def _limit_local_peers_too(session: lt.session) -> None:
    """Count peers on this machine into the global peer class.

    libtorrent puts peers on local networks into a class of their own, which no rate limit touches:
    https://www.libtorrent.org/reference-Core.html#peer-classes
    """
    everywhere = lt.ip_filter()
    everywhere.add_rule("0.0.0.0", "255.255.255.255", 1 << int(lt.session.global_peer_class_id))
    session.set_peer_class_filter(everywhere)
