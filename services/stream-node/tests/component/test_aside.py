"""A torrent leaves the session for a moment: how it comes back, and that it does not come before it should."""

import asyncio
import threading
from datetime import timedelta
from pathlib import Path

import libtorrent as lt

from vod_runtime import Runtime, SystemClock
from vod_stream_node.domain import Infohash, PinKey, PinRequest, Purpose, WaitFor
from vod_stream_node.engine import engine
from vod_stream_node.janitor import Janitor, Keeping
from vod_stream_node.magnets import Reach
from vod_stream_node.metrics import Metrics
from vod_stream_node.pins import Pins
from vod_stream_node.reader import PieceCache
from vod_stream_node.seeding import SeedPolicy
from vod_stream_node.session import SessionConfig
from vod_stream_node.sharing import Sharing
from vod_stream_node.store import TorrentStore
from vod_testing import eventually

INFOHASH = Infohash("e" * 40)
MAGNET = f"magnet:?xt=urn:btih:{INFOHASH}"


def film() -> tuple[Infohash, bytes]:
    """Return a .torrent of three pieces that nobody has."""
    info = {b"name": b"film.mkv", b"length": 3 << 20, b"piece length": 1 << 20, b"pieces": bytes(60)}
    content = lt.bencode({b"info": info})
    return Infohash(str(lt.load_torrent_buffer(content).info_hashes.v1)), content


async def test_who_asks_for_a_torrent_waits_until_its_files_are_deleted(tmp_path: Path, runtime: Runtime) -> None:
    begun, end = threading.Event(), threading.Event()

    def delete() -> None:
        begun.set()
        end.wait(60)

    config = SessionConfig(listen="127.0.0.1:0", reach=Reach.ANYWHERE)
    async with (
        engine(config, store=TorrentStore(tmp_path), cache=PieceCache(0), log=runtime.log) as running,
        asyncio.TaskGroup() as group,
    ):
        deleting = group.create_task(running.aside(INFOHASH, delete))
        await eventually(lambda: None if begun.is_set() else "nothing is deleted yet", within=30)
        coming = group.create_task(running.pin(INFOHASH, MAGNET))
        await asyncio.wait([coming], timeout=0.05)
        held = running.holds(INFOHASH)
        end.set()
        torrent = await coming
        again = await running.aside(INFOHASH, delete)

    assert (held, torrent.infohash) == (False, INFOHASH)
    assert (deleting.result(), again) == (True, False)


async def test_a_torrent_of_which_the_disk_kept_nothing_comes_back_to_its_trackers(
    tmp_path: Path, runtime: Runtime
) -> None:
    infohash, content = film()
    named = "&tr=http%3A%2F%2F127.0.0.1%3A9%2Fannounce&ws=http%3A%2F%2F127.0.0.1%3A9%2Ffilm.mkv"
    config, store = SessionConfig(listen="127.0.0.1:0", reach=Reach.ANYWHERE), TorrentStore(tmp_path)
    async with engine(config, store=store, cache=PieceCache(0), log=runtime.log) as running:
        torrent = await running.pin(infohash, f"magnet:?xt=urn:btih:{infohash}{named}", content)
        await torrent.metadata()
        await running.reload(torrent, lambda: store.delete(infohash), may=lambda: True)
        again = running.torrents[infohash]

        assert again is not torrent
        assert again.contacts.magnet(infohash) == f"magnet:?xt=urn:btih:{infohash}{named}"


async def test_who_pins_a_file_does_not_notice_that_its_torrent_is_reloaded(tmp_path: Path, runtime: Runtime) -> None:
    infohash, content = film()
    config, store = SessionConfig(listen="127.0.0.1:0", reach=Reach.ANYWHERE), TorrentStore(tmp_path)
    clock, metrics = SystemClock(), Metrics(runtime.metrics)
    keeping = Keeping(ttl=timedelta(hours=1), budget=0, reserve=0)
    request = PinRequest(
        key=PinKey(infohash, 0),
        magnet=f"magnet:?xt=urn:btih:{infohash}",
        holder="session-1",
        purpose=Purpose.CURRENT,
        wait_for=WaitFor.ENDS,
        ttl=timedelta(minutes=1),
        torrent=content,
    )
    async with engine(config, store=store, cache=PieceCache(0), log=runtime.log) as running:
        pins = Pins(
            running,
            store=store,
            clock=clock,
            metrics=metrics,
            log=runtime.log,
            janitor=Janitor(running, store=store, clock=clock, metrics=metrics, log=runtime.log, keeping=keeping),
            idle=timedelta(minutes=1),
            seeding=SeedPolicy(time=timedelta(), ratio=0),
            sharing=Sharing(running.torrents, short_of_room=lambda: False),
            stalled=lambda _: 0,
        )
        pinning = asyncio.create_task(pins.ensure(request, within=timedelta(seconds=2)))
        await eventually(
            lambda: None if any(torrent.purposes() for torrent in running.torrents.values()) else "no pin", within=30
        )
        before = running.torrents[infohash]
        reloaded = await running.reload(before, lambda: None, may=lambda: True)
        status = await pinning

        assert reloaded
        assert running.torrents[infohash].purposes() == {0: Purpose.CURRENT}
        assert list(status.claims) == ["session-1"]
