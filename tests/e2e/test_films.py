"""The hierarchy of sources in sessions, over the public API of a whole system: curated, torrents, direct ones."""

import asyncio
import hashlib
from pathlib import Path

import av
import httpx
import pytest
from allinone import HARBOR, System, beat, start

from vod_fakes.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")

CURATED_FILM, FILM = "ia:item:paper_boats_test", "tmdb:movie:9101"
ARCHIVE_FILM = "ia:item:tin_rockets_test"
"""Curated by nobody but whoever named it in VOD_IA_ITEMS; its own file can't be had."""
UNLISTED = "tmdb:tv:9002"


async def frames_of(url: str, count: int) -> int:
    """Open a stream as a player does, jump into its middle, and count what is shown."""

    def play() -> int:
        with av.open(url, timeout=60.0) as container:
            container.seek((container.duration or 0) // 2)
            return sum(1 for _, _ in zip(container.decode(video=0), range(count), strict=False))

    return await asyncio.to_thread(play)


async def test_a_curated_film_plays_from_its_own_source_and_goes_on_there(viewer: httpx.AsyncClient) -> None:
    started = await start(viewer, CURATED_FILM, 1, 1)
    shown = await frames_of(started["streamUrl"], 20)
    await beat(viewer, started["sessionId"], 21, duration_s=60)
    await viewer.post("/v1/session/ended", json={"sessionId": started["sessionId"]})

    resumed = (await viewer.get("/v1/resume", params={"seriesId": CURATED_FILM})).json()
    again = await start(viewer, CURATED_FILM, 1, 1)
    redirected = await viewer.get(f"/v1/stream/{again['sessionId']}", headers={"Range": "bytes=0-11"})

    source = started["source"]
    assert (started["pick"], source["type"], source["collection"]) == (None, "mp4", "House favourites")
    assert (source["reasons"][0], shown) == ("curated: House favourites", 20)
    assert (int(resumed["position_s"]), resumed["pick"], resumed["source"]) == (21, None, source)
    assert again["streamUrl"] == started["streamUrl"] == redirected.headers["location"]


async def test_a_film_of_the_archive_plays_from_its_own_file_and_while_that_fails_from_its_torrent(
    vod: System, viewer: httpx.AsyncClient, outside: World
) -> None:
    item = next(one for one in outside.archive.items if f"ia:item:{one.identifier}" == ARCHIVE_FILM)
    [(name, film)] = item.films.items()
    outside.archive.control.seen.clear()

    # Only web seeds have the torrent.
    started = await start(viewer, ARCHIVE_FILM, 1, 1)
    answer = await viewer.get(f"/v1/stream/{started['sessionId']}", follow_redirects=True)
    tried = [one.path for one in outside.archive.control.seen if one.path.endswith(f"/{name}")]
    outside.archive.broken.discard(item.identifier)
    try:
        async with vod.client() as another:
            well = await start(another, ARCHIVE_FILM, 1, 1)
            shown = await frames_of(well["streamUrl"], 5)
    finally:
        outside.archive.broken.add(item.identifier)

    assert tried != []
    assert (well["pick"], well["source"]["type"], well["source"]["reasons"][0]) == (
        None,
        "mp4",
        "curated: Internet Archive",
    )
    assert (started["source"]["type"], started["pick"]["infohash"], shown) == ("torrent", item.infohash, 5)
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(film.read_bytes()).digest()


async def test_another_film_plays_from_its_torrent_and_keeps_it_whatever_the_link_says_later(
    viewer: httpx.AsyncClient,
) -> None:
    first = await start(viewer, FILM, 1, 1)
    await beat(viewer, first["sessionId"], 3, duration_s=60, bitrate_estimate=200_000)
    resumed = await start(viewer, FILM, 1, 1)

    assert first["source"]["type"] == resumed["source"]["type"] == "torrent"
    assert first["source"]["reasons"] == first["pick"]["reasons"] != []
    assert resumed["pick"]["infohash"] == first["pick"]["infohash"]


async def test_a_torrent_of_the_operators_own_list_is_picked_and_played_as_any_other(
    vod: System, viewer: httpx.AsyncClient, outside: World
) -> None:
    film = outside.episode_file("The.Glass.Orchard.2023.1080p.WEB-DL.H264-NOVA", 1, 1)
    name = "Harbor.Light.S01E02.1080p.WEB-DL.H264-OWN"
    torrent = await outside.add_release(name, {f"{name}.mkv": film}, listings=())
    mirrors = Path(vod.environment["VOD_SOURCES_MIRRORS"])
    (mirrors / f"{UNLISTED.replace(':', '_')} S01E02.strm").write_text(f"{outside.magnet(name)}\n")

    started = await start(viewer, UNLISTED, 1, 2)
    answer = await viewer.get(f"/v1/stream/{started['sessionId']}", follow_redirects=True)
    again = await start(viewer, UNLISTED, 1, 2)

    assert (started["source"]["type"], started["pick"]["infohash"]) == ("torrent", torrent.infohash)
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(film.read_bytes()).digest()
    assert again["pick"]["id"] == started["pick"]["id"]


async def test_an_episode_without_a_torrent_for_the_device_plays_from_a_mirror_and_knows_what_comes_next(
    viewer: httpx.AsyncClient,
) -> None:
    # No release is in a codec that this device knows. One mirror does not say its codec, the other's is not for it.
    caps = {"h264": False, "av1": True}
    started = await start(viewer, HARBOR, 1, 4, deviceCaps=caps)
    shown = await frames_of(started["streamUrl"], 5)
    refused = await viewer.post(
        "/v1/session/start", json={"seriesId": HARBOR, "season": 1, "episode": 3, "deviceCaps": caps}
    )
    [listed] = (await viewer.get("/v1/sources", params={"seriesId": HARBOR, "season": 1, "episode": 3})).json()

    assert (started["pick"], started["source"]["provider"], shown) == (None, "mirror", 5)
    assert started["source"]["reasons"][0] == "no torrent can be played"
    assert started["nextHint"] is None
    assert (refused.status_code, refused.json()["reason"]) == (404, "NO_PLAYABLE_RELEASE")
    assert (listed["healthy"], listed["codec"], listed["fits"]) == (True, "h264", False)
