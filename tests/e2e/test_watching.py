"""What a viewer does: pick, play while it downloads, go on to the next one, come back."""

import asyncio
import contextlib
import hashlib
import json
import random
from typing import Any

import av
import httpx
import pytest
from allinone import HARBOR, System, beat, next_is_ready, start

from vod_fakes.library import LIBRARY, SEASON_PACK
from vod_fakes.world import World
from vod_testing import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

SLOW = 250_000
DOWNLOAD = "/api/v1/download"
ANIME, FILM = "mal:anime:9201", "tmdb:movie:9101"


async def test_the_whole_file_comes_right_through_many_overlapping_ranges_while_it_downloads(
    vod: System, viewer: httpx.AsyncClient, outside: World
) -> None:
    seeded = outside.episode_file("The.Glass.Orchard.2023.1080p.WEB-DL.H264-NOVA", 1, 1)
    # A torrent of its own, of which nothing is here yet.
    torrent = await outside.add_release("Unwatched", {"Unwatched.mkv": seeded}, listings=())
    outside.seeder.limit_upload(SLOW)
    magnet = {"magnet": outside.magnet("Unwatched")}
    started = (await viewer.post("/v1/session/start", json=magnet, headers=vod.admin)).json()
    url = started["streamUrl"]
    size = int((await viewer.head(url)).headers["content-length"])
    step = size // 12
    edges = [(at, min(size, at + step + step // 3) - 1) for at in range(0, size, step)]
    random.Random(7).shuffle(edges)
    unfinished = asyncio.Event()

    async def fetch(first: int, last: int) -> tuple[int, bytes]:
        answer = await viewer.get(url, headers={"Range": f"bytes={first}-{last}"})
        assert answer.status_code == 206
        assert f"bytes {first}-{last}/{size}" == answer.headers["content-range"]
        return first, answer.content

    whole = bytearray(size)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(fetch(first, last)) for first, last in edges]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        uploaded = outside.seeder.uploaded(torrent.infohash)
        if done and uploaded < size:
            unfinished.set()
    for task in tasks:
        first, content = task.result()
        whole[first : first + len(content)] = content

    assert hashlib.sha256(seeded.read_bytes()).hexdigest() == hashlib.sha256(whole).hexdigest()
    assert unfinished.is_set(), "the first range came only after the whole file had been downloaded"


async def test_the_file_of_a_season_pack_is_found_by_its_name(viewer: httpx.AsyncClient, outside: World) -> None:
    started = await start(viewer, HARBOR, 1, 3)
    pack = outside.torrents[SEASON_PACK.name].infohash
    # Which release wins is decided by a race; here it is about the pack.
    chosen = await viewer.post("/v1/session/override-pick", json={"sessionId": started["sessionId"], "infohash": pack})
    assert chosen.status_code == 200, chosen.text
    pick = chosen.json()["pick"]

    content = (await viewer.get(chosen.json()["streamUrl"])).content

    assert (SEASON_PACK.name, "season_pack") == (pick["title"], pick["sourceKind"])
    assert "S01E03" in pick["filePath"]
    assert outside.episode_file(SEASON_PACK.name, 1, 3).read_bytes() == content


async def test_the_pick_says_why_and_neither_the_cam_nor_the_other_show_is_taken(
    vod: System, viewer: httpx.AsyncClient
) -> None:
    started = await start(viewer, HARBOR, 1, 1)
    pick = started["pick"]

    assert {"health", "quality", "size", "consistency"} == set(pick["score"])
    assert all(0 <= value <= 1 for value in pick["score"].values())
    assert pick["reasons"]
    assert "CAM" not in pick["title"]
    assert "OTHER" not in pick["title"]


async def test_a_heartbeat_gets_the_next_episode_ready_and_it_plays_with_the_seeder_cut_off(
    vod: System, viewer: httpx.AsyncClient, outside: World
) -> None:
    first = await start(viewer, HARBOR, 1, 1)
    await viewer.get(first["streamUrl"], headers={"Range": "bytes=0-65535"})

    await next_is_ready(viewer, first["sessionId"])

    following = await viewer.get("/v1/session/next", params={"sessionId": first["sessionId"]})
    assert following.status_code == 200, following.text
    assert following.json()["prepared"] is True
    assert 1 <= len(following.json()["candidates"]) <= 2
    ended = await viewer.post("/v1/session/ended", json={"sessionId": first["sessionId"]})
    assert ended.status_code == 200, ended.text
    assert ended.json()["autoplayIn"] == 10
    await outside.seeder.stop()
    try:
        second = await start(viewer, HARBOR, 1, 2)
        opening = await viewer.get(second["streamUrl"], headers={"Range": "bytes=0-65535"})
        ending = await viewer.get(second["streamUrl"], headers={"Range": "bytes=-65536"})
    finally:
        await outside.seeder.start()
    seeded = outside.episode_file(second["pick"]["title"], 1, 2).read_bytes()
    assert ended.json()["nextPick"]["infohash"] == second["pick"]["infohash"]
    assert (seeded[:65536], seeded[-65536:]) == (opening.content, ending.content)


async def test_after_the_end_only_what_comes_next_is_held_and_it_plays_at_once(
    vod: System, viewer: httpx.AsyncClient, outside: World
) -> None:
    caps = {"h264": True, "maxHeight": 1083}
    session = (await start(viewer, HARBOR, 1, 2, deviceCaps=caps))["sessionId"]
    await next_is_ready(viewer, session)

    await viewer.post("/v1/session/ended", json={"sessionId": session})

    async def why_held() -> str | None:
        held = [holder for one in (await vod.status())["pins"] for holder in one["holders"] if session in str(holder)]
        return None if [holder["purpose"] for holder in held] == ["next"] else f"{held}"

    await eventually(why_held, within=60)
    await outside.seeder.stop()
    try:
        second = await start(viewer, HARBOR, 1, 3, deviceCaps=caps)
        opening = await viewer.get(second["streamUrl"], headers={"Range": "bytes=0-65535"})
    finally:
        await outside.seeder.start()
    assert opening.content == outside.episode_file(second["pick"]["title"], 1, 3).read_bytes()[:65536]


async def test_what_comes_next_can_be_chosen_and_is_what_autoplay_starts_at_once(
    vod: System, viewer: httpx.AsyncClient, outside: World
) -> None:
    caps = {"h264": True, "maxHeight": 1082}
    first = await start(viewer, HARBOR, 1, 2, deviceCaps=caps)
    session = first["sessionId"]
    await next_is_ready(viewer, session)
    candidates = (await viewer.get("/v1/session/next", params={"sessionId": session})).json()["candidates"]
    following = (await viewer.post("/v1/session/ended", json={"sessionId": session})).json()["nextPick"]
    other = next(one for one in candidates if one["infohash"] != following["infohash"])

    async def choose(infohash: str) -> None:
        body = {"sessionId": session, "infohash": infohash, "target": "next"}
        chosen = await viewer.post("/v1/session/override-pick", json=body)
        assert chosen.status_code == 200, chosen.text
        assert (chosen.json()["pick"]["infohash"], chosen.json()["streamUrl"]) == (infohash, None)

    async def why_not_prepared() -> str | None:
        held = [one["state"] for one in (await vod.status())["pins"] if one["infohash"] == other["infohash"]]
        told = (await viewer.get("/v1/session/next", params={"sessionId": session})).json()
        is_here = {"ready", "complete"} & set(held)
        return None if is_here and told.get("prepared") else f"the chosen one is not prepared, but {held or 'nowhere'}"

    await choose(other["infohash"])
    with contextlib.suppress(AssertionError):
        await eventually(why_not_prepared, within=20)
    if await why_not_prepared():
        # Prefetch hears of a choice once, for after the end there are no heartbeats; who stood still then gets another.
        await choose(following["infohash"])
        await choose(other["infohash"])
        await eventually(why_not_prepared, within=60)
    await outside.seeder.stop()
    try:
        second = await start(viewer, HARBOR, 1, 3, deviceCaps=caps)
        opening = await viewer.get(second["streamUrl"], headers={"Range": "bytes=0-65535"})
    finally:
        await outside.seeder.start()
    assert second["pick"]["infohash"] == other["infohash"]
    assert opening.content == outside.episode_file(second["pick"]["title"], 1, 3).read_bytes()[:65536]


def downloads_of(outside: World, episode: int) -> list[int]:
    """Return the files of an episode that were downloaded at OpenSubtitles, once per download."""
    files = {one.file_id for one in LIBRARY.subtitles if (one.tmdb_id, one.season, one.episode) == (9001, 1, episode)}
    asked = [json.loads(seen.body)["file_id"] for seen in outside.opensubtitles.control.asked(DOWNLOAD)]
    return sorted(file for file in asked if file in files)


def why_not_fetched(outside: World, episode: int) -> str | None:
    fetched = downloads_of(outside, episode)
    return None if len(fetched) >= 2 else f"only {fetched} were fetched"


async def test_the_next_episodes_subtitles_are_there_in_two_languages(
    viewer: httpx.AsyncClient, outside: World
) -> None:
    first = await start(viewer, HARBOR, 1, 3, deviceCaps={"h264": True, "subtitleLanguages": ["en", "de"]})
    await next_is_ready(viewer, first["sessionId"])
    await eventually(lambda: why_not_fetched(outside, 4), within=60)
    fetched = downloads_of(outside, 4)

    answers = [await viewer.get(f"/v1/subtitles/{HARBOR}:S01E04.vtt", params={"lang": lang}) for lang in ("en", "de")]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert all(answer.text.startswith("WEBVTT") for answer in answers)
    assert "�" not in answers[1].text
    assert set("äöüßÄÖÜ") & set(answers[1].text)
    assert downloads_of(outside, 4) == fetched, "a file was fetched for the viewer, not by prefetch"
    again = await viewer.get(
        f"/v1/subtitles/{HARBOR}:S01E04.vtt",
        params={"lang": "en"},
        headers={"If-None-Match": answers[0].headers["etag"]},
    )
    assert again.status_code == 304


async def test_resume_gives_the_very_source_and_position(viewer: httpx.AsyncClient) -> None:
    started = await start(viewer, FILM, 1, 1)
    await beat(viewer, started["sessionId"], 21.4)

    resumed = await viewer.get("/v1/resume", params={"seriesId": FILM})

    body = resumed.json()
    assert (body["seriesId"], body["season"], body["episode"], int(body["position_s"])) == (FILM, 1, 1, 21)
    same: list[Any] = [(pick["infohash"], pick["fileIndex"], pick["id"]) for pick in (started["pick"], body["pick"])]
    assert same[0] == same[1]


async def test_another_device_sees_nothing_of_it(vod: System, viewer: httpx.AsyncClient) -> None:
    started = await start(viewer, FILM, 1, 1)
    await beat(viewer, started["sessionId"], 9)

    async with vod.client() as other:
        answer = await other.get("/v1/resume")

    assert (answer.status_code, answer.json()["reason"]) == (404, "NOTHING_TO_RESUME")


async def test_the_viewer_can_choose_another_source_and_the_trail_remembers(
    vod: System, viewer: httpx.AsyncClient, outside: World
) -> None:
    # Caps of its own: a pick belongs to a device profile, and other tests want theirs unchanged.
    caps = {"h264": True, "maxHeight": 1081}
    first = await start(viewer, HARBOR, 1, 4, deviceCaps=caps)
    other = "TIDE" if "NOVA" in first["pick"]["title"] else "NOVA"
    trail = f"/v1/picks/{HARBOR}/1/4"
    listed = await viewer.get(
        "/v1/session/next", params={"sessionId": (await start(viewer, HARBOR, 1, 3, deviceCaps=caps))["sessionId"]}
    )
    wanted = next(one for one in listed.json()["candidates"] if other in one["title"])

    answer = await viewer.post(
        "/v1/session/override-pick", json={"sessionId": first["sessionId"], "infohash": wanted["infohash"]}
    )

    assert answer.status_code == 200, answer.text
    pick = answer.json()["pick"]
    assert (wanted["infohash"], first["pick"]["id"]) == (pick["infohash"], pick["replacesPickId"])
    content = await viewer.get(answer.json()["streamUrl"], headers={"Range": "bytes=0-99"})
    assert (content.status_code, content.content) == (206, outside.episode_file(pick["title"], 1, 4).read_bytes()[:100])
    picks = (await viewer.get(trail, headers=vod.admin)).json()["picks"]
    assert {pick["id"], first["pick"]["id"]} <= {one["id"] for one in picks}


async def test_anime_goes_on_into_the_next_season_by_absolute_numbers(viewer: httpx.AsyncClient) -> None:
    episodes = (await viewer.get("/v1/episodes", params={"seriesId": ANIME})).json()
    last_of_first = next(one for one in episodes if one["absoluteEp"] == 3)
    started = await start(viewer, ANIME, last_of_first["season"], last_of_first["episode"])

    ended = (await viewer.post("/v1/session/ended", json={"sessionId": started["sessionId"]})).json()

    assert [one["absoluteEp"] for one in episodes] == [1, 2, 3, 4, 5, 6]
    assert "- 03" in started["pick"]["filePath"]
    assert (started["nextHint"]["season"], started["nextHint"]["episode"]) == (2, 1)
    assert "- 04" in ended["nextPick"]["filePath"]


async def test_a_real_player_opens_the_stream_and_jumps(viewer: httpx.AsyncClient, outside: World) -> None:
    """PyAV is FFmpeg's demuxer and decoders, as in mpv and VLC."""
    outside.seeder.limit_upload(4 * SLOW)
    started = await start(viewer, HARBOR, 1, 2)
    url = str((await viewer.get(f"/v1/stream/{started['sessionId']}", follow_redirects=False)).headers["location"])

    def play() -> list[float]:
        shown = []
        with av.open(url, timeout=60.0) as container:
            length = float(container.duration or 0) / av.time_base
            for at in (0.0, length / 2, length - 1.0):
                container.seek(int(at * av.time_base))
                frame = next(container.decode(video=0))
                shown.append(float(frame.time or 0.0))
            assert container.streams.audio
        return [round(one / length, 1) for one in shown]

    opening, middle, ending = await asyncio.to_thread(play)

    assert opening == 0.0
    assert 0.2 <= middle <= 0.5
    assert ending >= 0.5
