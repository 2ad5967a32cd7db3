"""What the janitor spares although nobody has pinned it yet, and what counts as use."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import libtorrent as lt
import pytest

from vod_runtime import Runtime, SystemClock
from vod_stream_node.domain import Infohash, Purpose
from vod_stream_node.engine import Engine, engine
from vod_stream_node.janitor import Janitor, Keeping
from vod_stream_node.magnets import Reach
from vod_stream_node.metrics import Metrics
from vod_stream_node.reader import PieceCache
from vod_stream_node.session import SessionConfig
from vod_stream_node.store import TorrentStore

BEFORE, SINCE = Infohash("a" * 40), Infohash("b" * 40)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


@pytest.fixture
def store(tmp_path: Path) -> TorrentStore:
    return TorrentStore(tmp_path)


@pytest.fixture
async def running(store: TorrentStore, runtime: Runtime) -> AsyncIterator[Engine]:
    config = SessionConfig(listen="127.0.0.1:0", reach=Reach.ANYWHERE)
    async with engine(config, store=store, cache=PieceCache(0), log=runtime.log) as one:
        yield one


@pytest.fixture
def janitor(running: Engine, store: TorrentStore, runtime: Runtime) -> Janitor:
    """One for whom everything on disk is too much."""
    return Janitor(
        running,
        store=store,
        clock=SystemClock(),
        metrics=Metrics(runtime.metrics),
        log=runtime.log,
        keeping=Keeping(ttl=timedelta(hours=1), budget=1, reserve=0),
    )


def keep(store: TorrentStore, infohash: Infohash) -> Path:
    """Put a file of a torrent on disk that was written long ago."""
    folder = store.data_folder(infohash)
    folder.mkdir(parents=True)
    (folder / "film.mkv").write_bytes(bytes(1 << 16))
    os.utime(folder / "film.mkv", (LONG_AGO, LONG_AGO))
    return folder / "film.mkv"


async def test_what_a_node_finds_on_its_disk_stays_until_its_holders_had_time_to_come_back(
    store: TorrentStore, janitor: Janitor
) -> None:
    keep(store, BEFORE)
    await janitor.spare_what_is_here()
    keep(store, SINCE)
    await janitor.clean(may_reload=lambda _: True)
    spared = store.infohashes()
    janitor.spare_nothing()
    await janitor.clean(may_reload=lambda _: True)

    assert (spared, store.infohashes()) == ([BEFORE], [])


async def test_to_be_pinned_is_to_be_used_however_long_ago_the_file_came(
    store: TorrentStore, running: Engine, janitor: Janitor
) -> None:
    content = lt.bencode(
        {b"info": {b"name": b"film.mkv", b"length": 1 << 16, b"piece length": 1 << 16, b"pieces": bytes(20)}}
    )
    infohash = Infohash(str(lt.load_torrent_buffer(content).info_hashes.v1))
    file = keep(store, infohash)
    torrent = await running.pin(infohash, f"magnet:?xt=urn:btih:{infohash}", content)
    await torrent.metadata()
    await janitor.clean(may_reload=lambda _: False)
    before = file.stat()
    torrent.want({0: Purpose.CURRENT})
    await janitor.clean(may_reload=lambda _: False)

    assert (before.st_atime < LONG_AGO + 1, file.stat().st_atime > LONG_AGO + 1) == (True, True)
    assert file.stat().st_mtime == before.st_mtime
