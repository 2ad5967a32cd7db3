"""The tracker and the seeder are real: somebody else downloads from them."""

from __future__ import annotations

import hashlib
import socket
import time
from pathlib import Path
from typing import Any, cast

import httpx
import libtorrent as lt
import pytest

from vod_fakes.library import SEASON_PACK
from vod_fakes.seeder import Seeder
from vod_fakes.serving import LOOPBACK
from vod_fakes.torrents import load_torrent, make_torrent, save_torrent
from vod_fakes.world import World
from vod_testing import eventually

SINGLE = "Harbor.Lights.S01E01.720p.WEB-DL.H264-TIDE"


class Leecher:
    """A second libtorrent session, which knows only magnets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._session = lt.session(
            {"listen_interfaces": "127.0.0.1:0", "enable_dht": False, "enable_lsd": False, "alert_mask": 0}
        )

    def join(self, magnet: str) -> lt.torrent_handle:
        """Start to download everything."""
        params = lt.parse_magnet_uri(magnet)
        params.save_path = str(self.folder)
        return self._session.add_torrent(params)

    async def download(self, magnet: str) -> lt.torrent_handle:
        """Download everything and wait for it."""
        handle = self.join(magnet)
        await eventually(lambda: None if handle.status().is_seeding else f"{handle.status().progress:.0%}", within=30)
        # what is on disk is complete only when the cache is written out
        handle.flush_cache()
        return handle


def decoded(answer: httpx.Response) -> dict[bytes, Any]:
    """What a bencoded answer says."""
    return cast(dict[bytes, Any], lt.bdecode(answer.content))


def sha256(path: Path) -> str:
    """The digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def leecher(tmp_path: Path) -> Leecher:
    """Somebody who downloads into a folder of the test's own."""
    return Leecher(tmp_path)


async def test_a_downloaded_episode_is_the_seeded_file(outside: World, leecher: Leecher) -> None:
    await leecher.download(outside.magnet(SINGLE))

    assert sha256(leecher.folder / f"{SINGLE}.mkv") == sha256(outside.episode_file(SINGLE, 1, 1))


async def test_the_pack_keeps_its_misleading_order_on_the_wire(outside: World, leecher: Leecher) -> None:
    handle = leecher.join(outside.magnet(SEASON_PACK.name))
    await eventually(lambda: None if handle.status().has_metadata else "no metadata", within=20)
    described = handle.torrent_file()

    assert described is not None
    files = described.layout()
    assert [files.file_path(n) for n in range(files.num_files())] == [
        f"{SEASON_PACK.name}/{clip.path}" for clip in SEASON_PACK.clips
    ]


async def test_a_limited_seeder_is_slow_for_a_peer_on_the_same_machine(outside: World, leecher: Leecher) -> None:
    rate = 800_000
    outside.seeder.limit_upload(rate)
    begun = time.monotonic()
    await leecher.download(outside.magnet(SINGLE))

    assert time.monotonic() - begun > 0.7 * outside.torrents[SINGLE].size / rate


async def test_a_cut_off_seeder_stops_the_download_and_comes_back(outside: World, leecher: Leecher) -> None:
    outside.seeder.limit_upload(300_000)
    handle = leecher.join(outside.magnet(SINGLE))
    await eventually(lambda: None if handle.status().total_payload_download > 0 else "no bytes", within=20)
    await outside.seeder.stop()
    await eventually(lambda: "still connected" if handle.status().num_peers else None, within=30)
    outside.seeder.limit_upload(0)
    await outside.seeder.start()
    await eventually(lambda: None if handle.status().is_seeding else "incomplete", within=30)

    assert sha256(leecher.folder / f"{SINGLE}.mkv") == sha256(outside.episode_file(SINGLE, 1, 1))


async def test_nobody_is_given_the_port_of_a_seeder_that_is_away() -> None:
    seeder = Seeder()
    await seeder.start()
    port = seeder.port
    await seeder.stop()

    with socket.socket() as another, pytest.raises(OSError, match="in use"):
        another.bind((LOOPBACK, port))
    await seeder.start()
    assert seeder.port == port
    await seeder.stop()


async def test_an_added_release_is_listed_and_seeded_until_it_is_removed(
    outside: World, leecher: Leecher, tmp_path: Path
) -> None:
    for name in ("b.mkv", "a.mkv"):
        (tmp_path / name).write_bytes(name.encode() * 50_000)
    files = {"b.mkv": tmp_path / "b.mkv", "deep/a.mkv": tmp_path / "a.mkv"}
    torrent = await outside.add_release("My.Show.S01.1080p-ME", files)
    await leecher.download(outside.magnet("My.Show.S01.1080p-ME"))
    listed = [offer.title for offer in outside.prowlarr.offers]
    outside.remove_release("My.Show.S01.1080p-ME")

    assert [file.path.partition("/")[2] for file in torrent.files] == list(files)
    assert (leecher.folder / "My.Show.S01.1080p-ME/deep/a.mkv").read_bytes() == b"a.mkv" * 50_000
    assert set(listed) - {offer.title for offer in outside.prowlarr.offers} == {"My.Show.S01.1080p-ME"}


async def test_the_tracker_answers_compact_and_with_dictionaries(outside: World, http: httpx.AsyncClient) -> None:
    infohash = bytes.fromhex(outside.torrents[SINGLE].infohash)
    asked = f"info_hash={''.join(f'%{b:02x}' for b in infohash)}&peer_id=-XX0001-abcdefghijkl&port=7000&left=5"
    compact = decoded(await http.get(f"{outside.tracker.url}?{asked}&compact=1"))
    plain = decoded(await http.get(f"{outside.tracker.url}?{asked}&compact=0"))
    port = outside.seeder.port

    assert compact[b"peers"] == bytes([127, 0, 0, 1]) + port.to_bytes(2, "big")
    assert [(peer[b"ip"], peer[b"port"]) for peer in plain[b"peers"]] == [(b"127.0.0.1", port)]
    assert (compact[b"complete"], compact[b"incomplete"]) == (1, 1)


@pytest.mark.parametrize("query", ["", "info_hash=short&peer_id=x&port=1", f"info_hash={'a' * 20}&peer_id=x&port=0"])
async def test_the_tracker_says_what_is_wrong(outside: World, http: httpx.AsyncClient, query: str) -> None:
    answer = decoded(await http.get(f"{outside.tracker.url}?{query}"))

    assert list(answer) == [b"failure reason"]


@pytest.mark.parametrize("paths", [["one.bin"], ["T/two.bin", "T/one.bin"]])
def test_a_saved_torrent_is_the_same_when_it_is_loaded(tmp_path: Path, paths: list[str]) -> None:
    for path in paths:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(path.encode() * 20_000)
    torrent = make_torrent(paths[0].split("/")[0], paths, tmp_path)
    save_torrent(torrent, tmp_path / "x.torrent")
    parsed = lt.load_torrent_buffer(torrent.metainfo("http://127.0.0.1:1/announce"))

    assert load_torrent(tmp_path / "x.torrent") == torrent
    assert (str(parsed.info_hashes.v1), parsed.trackers) == (torrent.infohash, ["http://127.0.0.1:1/announce"])
