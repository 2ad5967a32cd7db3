"""The Stremio add-on answers as the add-on SDK does."""

from __future__ import annotations

import httpx

from vod_fakes.serving import Site, bind, http_servers
from vod_fakes.stremio import StremioAddon
from vod_fakes.torrents import Torrent

TRACKER = "http://127.0.0.1:6969/announce"


async def test_streams_are_found_by_type_and_id_and_others_are_an_empty_list() -> None:
    addon = StremioAddon()
    torrent = Torrent(name="lamp", info=b"de", files=(), piece_length=16384)
    addon.offer("series/tt1:1:2", torrent, text="lamp\n👤 3", tracker_url=TRACKER, filename="lamp.mkv")
    site = Site(addon.app(), addon.control, bind())
    addon.url = site.url

    async with http_servers([site]), httpx.AsyncClient(trust_env=False) as http:
        base = addon.manifest_url.removesuffix("manifest.json")
        manifest = (await http.get(addon.manifest_url)).json()
        found = (await http.get(f"{base}stream/series/tt1%3A1%3A2.json")).json()
        nothing = (await http.get(f"{base}stream/movie/tt1.json")).json()

    assert (manifest["resources"], manifest["idPrefixes"]) == (["stream"], ["tt"])
    (stream,) = found["streams"]
    assert (stream["infoHash"], stream["sources"][0]) == (torrent.infohash, f"tracker:{TRACKER}")
    assert stream["behaviorHints"]["filename"] == "lamp.mkv"
    assert nothing["streams"] == []
