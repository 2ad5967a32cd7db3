"""What a torrent comes into the session with."""

import asyncio
from pathlib import Path

import libtorrent as lt
import pytest

from vod_runtime import Runtime
from vod_stream_node.contacts import Contacts
from vod_stream_node.domain import Infohash
from vod_stream_node.resume import ResumeData
from vod_stream_node.session import MAX_PIECES
from vod_stream_node.store import TorrentStore

V1, V2 = "ab" * 20, "cd" * 32


@pytest.mark.parametrize(
    "topics", [f"xt=urn:btih:{V1}", f"xt=urn:btmh:1220{V2}", f"xt=urn:btih:{V1}&xt=urn:btmh:1220{V2}"]
)
async def test_a_torrent_that_nobody_knows_yet_comes_in_under_its_names_and_wants_nothing(
    topics: str, tmp_path: Path, runtime: Runtime
) -> None:
    magnet = f"magnet:?{topics}&tr=http%3A%2F%2Ftracker.test%2Fannounce&ws=http%3A%2F%2Fseed.test%2F"
    async with asyncio.TaskGroup() as group:
        entry = ResumeData(TorrentStore(tmp_path), group=group, log=runtime.log).entry(Infohash(V1), magnet, b"")

    asked = lt.parse_magnet_uri(magnet)
    assert entry.blank
    assert entry.params.info_hashes == asked.info_hashes
    assert entry.params.trackers == asked.trackers
    assert entry.params.url_seeds == asked.url_seeds
    assert entry.params.piece_priorities == [0] * MAX_PIECES


async def test_what_a_power_cut_took_from_the_disk_is_not_promised_any_more(tmp_path: Path, runtime: Runtime) -> None:
    store, infohash = TorrentStore(tmp_path), Infohash(V1)
    info = {b"name": b"film.mkv", b"length": 3 << 20, b"piece length": 1 << 20, b"pieces": bytes(60)}
    params = lt.load_torrent_buffer(lt.bencode({b"info": info}))
    params.have_pieces = [True, True, False]
    store.prepare(infohash)
    store.save_resume(infohash, lt.write_resume_data_buf(params))
    (store.data_folder(infohash) / "film.mkv").write_bytes(bytes(1 << 20))
    async with asyncio.TaskGroup() as group:
        entry = ResumeData(store, group=group, log=runtime.log).entry(infohash, f"magnet:?xt=urn:btih:{V1}", b"")

    assert entry.params.have_pieces == [True, False, False]


async def test_a_torrent_of_which_the_disk_kept_nothing_comes_back_with_what_the_session_knew(
    tmp_path: Path, runtime: Runtime
) -> None:
    info = {b"name": b"film.mkv", b"length": 3 << 20, b"piece length": 1 << 20, b"pieces": bytes(60)}
    known = lt.load_torrent_buffer(lt.bencode({b"info": info})).ti
    tracker, web_seed = "http://tracker.test/announce?key=a&b", "http://seed.test/film.mkv"
    contacts = Contacts(None, None, trackers=[tracker], web_seeds=[web_seed])
    async with asyncio.TaskGroup() as group:
        resume = ResumeData(TorrentStore(tmp_path), group=group, log=runtime.log)
        entry = resume.entry(Infohash(V1), contacts.magnet(Infohash(V1)), b"", lacking=2, info=known)

    assert entry.params.ti.num_pieces() == 3
    assert (entry.params.trackers, entry.params.url_seeds) == ([tracker], [web_seed])
    assert entry.params.piece_priorities == [0, 0, 1]
