"""The engine: adds torrents to libtorrent's session, removes them, and brings what it tells onto the event loop.

libtorrent runs in threads of its own. It writes a byte to a socket when it has alerts, so the loop wakes for them and
nothing is polled. Calls that only post a message to its threads are made on the loop; the others in a thread.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import libtorrent as lt
from structlog.typing import FilteringBoundLogger

from vod_rpc import Failure
from vod_stream_node.clients import drops_cancelled
from vod_stream_node.domain import Infohash, TorrentFile, TorrentState, short
from vod_stream_node.errors import NodeBroken, TorrentRefused, disk_failure
from vod_stream_node.farewell import Farewell
from vod_stream_node.lane.addresses import Room
from vod_stream_node.lane.lane import Lane
from vod_stream_node.looking import may_reload
from vod_stream_node.peer_filter import PeerFilter
from vod_stream_node.reader import FileReader, PieceCache, open_file
from vod_stream_node.resume import DISK_FAILED, Entry, ResumeData
from vod_stream_node.session import SessionConfig, new_session
from vod_stream_node.store import TorrentStore
from vod_stream_node.torrent import Torrent

METADATA_RECEIVED = "torrent_metadata_received"
METADATA_REFUSED = "torrent_metadata_refused"
RESUME_REJECTED = "torrent_resume_rejected"
ALERTS_DROPPED = "engine_alerts_dropped"
STRANDED = "torrent_stranded"
TRIED_AGAIN = "torrent_tried_again"
PEER_BANNED = "peer_banned"
LISTEN_FAILED = "engine_listen_failed"

_SAVE_SECONDS = 2.0


class Engine:
    """The torrents in the session. Made by `engine()`."""

    def __init__(
        self,
        session: Any,
        *,
        config: SessionConfig,
        store: TorrentStore,
        cache: PieceCache,
        group: asyncio.TaskGroup,
        log: FilteringBoundLogger,
    ) -> None:
        self.torrents: dict[Infohash, Torrent] = {}
        self._session = session
        self._config = config
        self._room = Room()
        self._filter = PeerFilter(session)
        self._closed = session.get_ip_filter()
        """Where nobody of ours may connect to: what the session's filter was before any peer was parted."""
        self._farewell = Farewell(session, log=log)
        self._store = store
        self._cache = cache
        self._group = group
        self._log = log
        self._by_handle: dict[Any, Torrent] = {}
        self._adding: dict[Infohash, asyncio.Future[Torrent]] = {}
        self._aside: dict[Infohash, asyncio.Event] = {}
        """Torrents that must not come into the session now, and what is set when they may."""
        self._resume = ResumeData(store, group=group, log=log)
        self._coming: dict[Infohash, Entry] = {}
        """What torrents on their way into the session come with."""
        self._listeners: list[Callable[[], None]] = []

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call *listener* when a torrent's metadata came, a file completed, or a reader came or went."""
        self._listeners.append(listener)

    def holds(self, infohash: Infohash) -> bool:
        """Say whether a torrent is in the session, or on its way into it."""
        return infohash in self.torrents or infohash in self._adding

    async def pin(self, infohash: Infohash, magnet: str, torrent: bytes = b"") -> Torrent:
        """Return the torrent, adding it to the session if it is not there; idempotent.

        What the disk knows of it (metadata, pieces) is used, then the content of a .torrent if there is one; trackers
        and web seeds that are new to it are added.

        Raises:
            TorrentRefused: libtorrent does not take it.
            StorageFailed: its folder can't be made.
        """
        while infohash in self._aside:
            await self._aside[infohash].wait()
        if infohash in self.torrents:
            self.torrents[infohash].contacts.add(self._config.network.narrow(lt.parse_magnet_uri(magnet)))
            return self.torrents[infohash]
        if infohash not in self._adding:
            self._adding[infohash] = asyncio.get_running_loop().create_future()
            self._group.create_task(self._add(infohash, magnet, torrent))
        return await asyncio.shield(self._adding[infohash])

    def unpin(self, torrent: Torrent) -> None:
        """Take a torrent out of the session; its data stays on disk."""
        if self.torrents.get(torrent.infohash) is not torrent:
            return
        del self.torrents[torrent.infohash]
        handle = next(handle for handle, known in self._by_handle.items() if known is torrent)
        del self._by_handle[handle]
        torrent.close()
        self._cache.drop(torrent.infohash)
        self._farewell.remove(handle)
        self._notify()

    async def reload(self, torrent: Torrent, change: Callable[[], object], *, may: Callable[[], bool]) -> bool:
        """Take a torrent out of the session, let *change* work on what is on disk (in a thread), and bring it back.

        Who asks for the torrent meanwhile waits. Reads of files that are complete go on. Nothing happens, and False is
        returned, unless *may* says so in the moment in which it would leave.
        """
        infohash = torrent.infohash
        await self.save(torrent)
        if self.torrents.get(infohash) is not torrent or infohash in self._adding or not may():
            return False
        self._adding[infohash], lacking = asyncio.get_running_loop().create_future(), torrent.lacking
        self.unpin(torrent)
        try:
            await self._resume.written(infohash)
            await asyncio.to_thread(change)
        finally:
            magnet = torrent.contacts.magnet(infohash)
            self._group.create_task(self._add(infohash, magnet, b"", lacking=lacking, info=torrent.info))
        await asyncio.shield(self._adding[infohash])
        self._notify()
        return True

    async def aside(self, infohash: Infohash, change: Callable[[], object]) -> bool:
        """Let *change* work on what the disk has of a torrent that is not in the session (in a thread).

        Who asks for the torrent meanwhile waits: it must not come back with resume data that promises what is being
        deleted. Nothing happens, and False is returned, when it is in the session or about to be.
        """
        if self.holds(infohash) or infohash in self._aside:
            return False
        self._aside[infohash] = asyncio.Event()
        try:
            await self._resume.written(infohash)
            await asyncio.to_thread(change)
        finally:
            self._aside.pop(infohash).set()
        return True

    async def revived(self, torrent: Torrent) -> Torrent:
        """Return a torrent that works: itself, or as it comes back into the session from its last checkpoint.

        It must, when its disk failed, and when it knows only seeds that it would never call again.
        """
        if torrent.is_broken:
            self._log.info(TRIED_AGAIN, infohash=short(torrent.infohash))
            await self.reload(torrent, _nothing, may=lambda: torrent.is_broken)
        elif torrent.layout is not None and await torrent.traffic.is_stranded():
            self._log.info(STRANDED, infohash=short(torrent.infohash))
            await self.reload(torrent, _nothing, may=partial(may_reload, torrent))
        else:
            return torrent
        # Somebody else may be reloading it at the same time.
        return await self.pin(torrent.infohash, _bare(torrent.infohash))

    def open_file(self, torrent: Torrent, file: TorrentFile) -> AbstractAsyncContextManager[FileReader]:
        """Open a reader on one of a torrent's files."""
        return open_file(torrent, file, folder=self._store.data_folder(torrent.infohash), cache=self._cache)

    @property
    def peer_port(self) -> int:
        """The port at which other peers reach this one, 0 when there is none."""
        port: int = self._session.listen_port()
        return port

    async def connect(self, infohash: Infohash, address: str, port: int) -> None:
        """Let a torrent of the session connect to a peer of our own, wherever in the network it is."""
        torrent = self.torrents.get(infohash)
        if torrent is not None and port:
            await self._filter.allow(address)
            torrent.contacts.connect(address, port)

    async def save(self, torrent: Torrent) -> None:
        """Save a torrent's resume data, or give up after a moment: it was saved not long ago."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_SAVE_SECONDS):
                if torrent.layout is not None:
                    await torrent.checkpoint()

    async def check(self) -> None:
        """Raise unless the session runs and listens for peers (the node's health)."""
        if not await asyncio.to_thread(self._session.is_listening):
            raise NodeBroken("The engine does not listen for peers.")

    async def leave(self) -> None:
        """Save all resume data, tell trackers that we go, and take all torrents out; a few seconds at most."""
        if self._adding:
            await asyncio.wait(self._adding.values(), timeout=_SAVE_SECONDS)
        await asyncio.gather(*(self.save(torrent) for torrent in self.torrents.values()))
        await self._farewell.tell_trackers(len(self.torrents))
        for torrent in list(self.torrents.values()):
            self.unpin(torrent)
        await self._farewell.disk_done()

    async def stop(self) -> None:
        """End the session and its threads; alerts are no longer handled then."""
        del self._session, self._filter
        await self._farewell.end()

    async def _add(self, infohash: Infohash, magnet: str, torrent: bytes, **known: Any) -> None:
        try:
            entry = await asyncio.to_thread(self._resume.entry, infohash, magnet, torrent, **known)
        except OSError as error:
            self._log.error(DISK_FAILED, infohash=short(infohash), reason=error.strerror)
            self._not_added(infohash, disk_failure(error.errno))
            return
        self._coming[infohash] = entry
        if not self._config.network.pex:
            entry.params.flags |= lt.torrent_flags.disable_pex
        self._session.async_add_torrent(self._config.network.narrow(entry.params))

    def _not_added(self, infohash: Infohash, failure: Failure) -> None:
        future = self._adding.pop(infohash)
        future.set_exception(failure)
        future.exception()  # who asked may be gone

    def _notify(self) -> None:
        for listener in self._listeners:
            listener()

    # Alerts. Each handler takes what it needs at once: an alert is gone with the next `pop_alerts`.

    def dispatch(self) -> None:
        """Handle all alerts that wait."""
        for alert in self._session.pop_alerts():
            match alert:
                case lt.add_torrent_alert():
                    self._on_added(alert)
                case lt.alerts_dropped_alert():
                    self._on_alerts_dropped()
                case lt.listen_failed_alert():
                    self._log.warning(LISTEN_FAILED, reason=alert.error.message())
                case lt.peer_connect_alert():
                    self._on_connect(alert)
                case lt.tracker_announce_alert() | lt.tracker_reply_alert() | lt.tracker_error_alert():
                    self._farewell.on_alert(alert)
                case lt.torrent_paused_alert() | lt.torrent_removed_alert():
                    self._farewell.on_alert(alert)
                case lt.torrent_alert():
                    if torrent := self._by_handle.get(alert.handle):
                        self._on_torrent_alert(torrent, alert)

    def _on_torrent_alert(self, torrent: Torrent, alert: Any) -> None:
        match alert:
            case lt.piece_finished_alert():
                torrent.on_piece(alert.piece_index)
            case lt.read_piece_alert():
                torrent.on_read(alert.piece, None if alert.error.value() else alert.buffer)
            case lt.metadata_received_alert():
                self._log.info(METADATA_RECEIVED, infohash=short(torrent.infohash))
                torrent.on_metadata(alert.handle.torrent_file())
            case lt.torrent_checked_alert():
                self._group.create_task(torrent.load_pieces())
            case lt.cache_flushed_alert():
                self._group.create_task(torrent.checkpoints.on_flushed())
            case lt.save_resume_data_alert():
                self._resume.save(torrent, alert.params)
            case lt.fastresume_rejected_alert():
                self._log.warning(RESUME_REJECTED, infohash=short(torrent.infohash), reason=alert.error.message())
            case lt.file_error_alert() | lt.torrent_error_alert():
                if not torrent.is_broken:  # each block that waits is told of
                    self._log.error(DISK_FAILED, infohash=short(torrent.infohash), reason=alert.error.message())
                torrent.on_disk_error(disk_failure(alert.error.value()))
            case lt.peer_snubbed_alert():
                self._on_snubbed(torrent, alert)
            case lt.peer_ban_alert():
                self._log.warning(PEER_BANNED, infohash=short(torrent.infohash))
            case lt.metadata_failed_alert():
                self._log.warning(METADATA_REFUSED, infohash=short(torrent.infohash), reason=alert.error.message())

    def _on_connect(self, alert: Any) -> None:
        if torrent := self._by_handle.get(alert.handle):
            self._group.create_task(torrent.contacts.met(alert.endpoint))

    def _on_snubbed(self, torrent: Torrent, alert: Any) -> None:
        if drops_cancelled(alert.pid.to_bytes()):
            torrent.cancel_nothing()
            host, port = alert.endpoint
            self._group.create_task(self._call_again(torrent, host, port))

    async def _call_again(self, torrent: Torrent, host: str, port: int) -> None:
        """Let libtorrent forget what it believes that a peer owes."""
        await self._filter.hang_up(host)
        if torrent.state is not TorrentState.CLOSED:
            torrent.contacts.connect(host, port)

    def _on_added(self, alert: Any) -> None:
        # Its folder has its name; a hybrid torrent may have come by either of its infohashes.
        infohash = Infohash(Path(alert.params.save_path).parent.name)
        entry = self._coming.pop(infohash)  # the alert's params lack trackers and web seeds
        if alert.error.value() or alert.handle in self._by_handle:
            self._not_added(infohash, TorrentRefused("The torrent can't be added."))
            return
        torrent = Torrent(
            infohash,
            alert.handle,
            trackers=entry.params.trackers,
            web_seeds=entry.params.url_seeds,
            folder=self._store.data_folder(infohash),
            on_change=self._notify,
            blank=entry.blank,
            new_lane=self._new_lane,
        )
        self.torrents[infohash] = self._by_handle[alert.handle] = torrent
        if alert.params.ti is not None:
            torrent.on_metadata(alert.params.ti)
        self._adding.pop(infohash).set_result(torrent)

    def _new_lane(self, torrent: Torrent) -> Lane | None:
        if not self._config.express:
            return None
        return Lane(
            bytes.fromhex(torrent.infohash),
            group=self._group,
            room=self._room,
            allowed=lambda address: not self._closed.access(address),
            on_piece=torrent.on_express_piece,
            on_change=torrent.on_lane_change,
            peers=self._filter,
            give_back=partial(self._give_back, torrent.infohash),
        )

    def _give_back(self, infohash: Infohash, host: str, port: int) -> None:
        """Let libtorrent have a peer that the express lane held, if the torrent is still here."""
        if torrent := self.torrents.get(infohash):
            torrent.contacts.connect(host, port)

    def _on_alerts_dropped(self) -> None:
        self._log.warning(ALERTS_DROPPED)
        for torrent in self.torrents.values():
            if torrent.layout is not None:
                self._group.create_task(torrent.load_pieces())


def _nothing() -> None:
    return None


def _bare(infohash: Infohash) -> str:
    """Return the magnet of a torrent of which the disk knows all else."""
    return f"magnet:?xt=urn:btih:{infohash}"


@asynccontextmanager
async def engine(
    config: SessionConfig, *, store: TorrentStore, cache: PieceCache, log: FilteringBoundLogger
) -> AsyncIterator[Engine]:
    """Run a session until the caller leaves the context; then save what is here and stop it."""
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        woken, waker = socket.socketpair()
        stack.callback(woken.close)
        stack.callback(waker.close)
        woken.setblocking(False)
        waker.setblocking(False)
        group = await stack.enter_async_context(asyncio.TaskGroup())
        running = Engine(
            await asyncio.to_thread(new_session, config, waker.fileno()),
            config=config,
            store=store,
            cache=cache,
            group=group,
            log=log,
        )

        def on_alerts() -> None:
            with suppress(BlockingIOError):
                woken.recv(4096)
            running.dispatch()

        stack.push_async_callback(running.stop)
        loop.add_reader(woken, on_alerts)
        stack.callback(loop.remove_reader, woken)
        stack.push_async_callback(running.leave)
        yield running
