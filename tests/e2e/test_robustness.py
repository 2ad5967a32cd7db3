"""What happens when somebody does it wrong, or the world does not help: a clear answer, and nothing left behind."""

import asyncio
from typing import Any

import httpx
import pytest
from allinone import HARBOR, System, start

from vod_fakes.library import TRACKED
from vod_fakes.shapes import Listing
from vod_fakes.world import World
from vod_testing import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

FILM = "tmdb:movie:9101"


def problem(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "instance", "reason"} <= set(body)
    assert answer.status_code == body["status"]
    return body


def left_behind(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return what is there now and was not before: sessions, and torrents that none from before watches.

    What prefetch does for others goes on meanwhile: the torrents that it tries are nobody's, but not for long.
    """
    sessions = {one["sessionId"] for one in before["sessions"]}
    torrents = {one["infohash"] for one in before["pins"]}
    strange = [
        pin["infohash"]
        for pin in after["pins"]
        if {holder["name"] for holder in pin["holders"] if holder["purpose"] == "current"} - sessions
        or (pin["infohash"] not in torrents and not pin["holders"])
    ]
    return [one["sessionId"] for one in after["sessions"] if one["sessionId"] not in sessions] + strange


async def test_one_idempotency_key_makes_one_session(vod: System, viewer: httpx.AsyncClient) -> None:
    await viewer.get("/v1/resume")  # the device gets its cookie
    key = {"Idempotency-Key": "living-room-1"}
    body = {"seriesId": HARBOR, "season": 1, "episode": 1, "deviceCaps": {"h264": True}}

    answers = await asyncio.gather(*(viewer.post("/v1/session/start", json=body, headers=key) for _ in range(4)))

    assert [answer.status_code for answer in answers] == [200] * 4, answers[0].text
    assert len({answer.json()["sessionId"] for answer in answers}) == 1


async def test_without_a_source_the_reasons_are_told_and_nothing_is_left_behind(
    vod: System, viewer: httpx.AsyncClient, outside: World
) -> None:
    before = await vod.status()
    caps = {"h264": False, "hevc": True}

    answer = await viewer.post(
        "/v1/session/start", json={"seriesId": HARBOR, "season": 1, "episode": 1, "deviceCaps": caps}
    )

    body = problem(answer)
    assert (answer.status_code, body["reason"], body["domain"]) == (404, "NO_PLAYABLE_RELEASE", "picks.vod")
    refused = {one["title"]: " ".join(one["reasons"]) for one in body["refused"]}
    assert "BAD_SOURCE" in refused["Harbor.Lights.S01E01.1080p.CAM.x264-ROCK"]
    assert "TITLE_MISMATCH" in refused["Harbor.Light.S01E01.1080p.WEB-DL.H264-OTHER"]
    assert all("CODEC_UNSUPPORTED" in reasons for reasons in refused.values())

    async def why_not_clean() -> str | None:
        left = left_behind(before, await vod.status())
        return f"left behind: {left}" if left else None

    await eventually(why_not_clean, within=60)
    trail = (await viewer.get(f"/v1/picks/{HARBOR}/1/1", headers=vod.admin)).json()["picks"]
    assert all(one["codec"] != "hevc" for one in trail)


async def test_ranges_follow_the_rules(viewer: httpx.AsyncClient, outside: World) -> None:
    started = await start(viewer, FILM, 1, 1)
    url, seeded = started["streamUrl"], outside.episode_file(started["pick"]["title"], 1, 1).read_bytes()
    size = len(seeded)

    async def get(value: str, **headers: str) -> httpx.Response:
        return await viewer.get(url, headers={"Range": value, **headers})

    suffix, opened, last = await get("bytes=-500"), await get(f"bytes={size - 700}-"), await get(f"bytes={size - 1}-")
    beyond = await get(f"bytes={size}-")
    head = await viewer.head(url)
    etag = head.headers["etag"]
    same, other = await get("bytes=0-9", **{"If-Range": etag}), await get("bytes=0-9", **{"If-Range": '"else"'})

    assert [suffix.status_code, opened.status_code, last.status_code] == [206, 206, 206]
    assert (seeded[-500:], seeded[-700:], seeded[-1:]) == (suffix.content, opened.content, last.content)
    assert (416, f"bytes */{size}") == (beyond.status_code, beyond.headers["content-range"])
    assert (200, str(size), "bytes", b"") == (
        head.status_code,
        head.headers["content-length"],
        head.headers["accept-ranges"],
        head.content,
    )
    assert (same.status_code, len(same.content)) == (206, 10)
    assert (200, seeded) == (other.status_code, other.content)


async def test_a_changed_token_and_a_path_out_of_the_house_are_refused(viewer: httpx.AsyncClient) -> None:
    url = (await start(viewer, FILM, 1, 1))["streamUrl"]
    base, node, token, name = url.rsplit("/", 3)
    changed = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")

    tampered = await viewer.get("/".join([base, node, changed, name]))
    climbing = await viewer.get(url.replace(name, "..%2f..%2f..%2fetc%2fpasswd"))
    elsewhere = await viewer.get("/".join([base, node, token, "..", "..", "secrets"]))

    assert tampered.status_code == 403
    assert problem(tampered)["reason"]
    assert b"root:" not in climbing.content
    assert elsewhere.status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"seriesId": "tmdb:tv:9001", "season": 1, ', 400),
        (b"[]", 400),
        (b'{"seriesId": "tmdb:tv:9001", "season": "one", "episode": 1, "deviceCaps": {}}', 400),
        (b'{"seriesId": "../../etc", "season": 1, "episode": 1, "deviceCaps": {}}', 400),
        (b"\xff\xfe\x00", 400),
        (b" " * 10_000_000, 413),
    ],
)
async def test_bad_bodies_get_a_problem(viewer: httpx.AsyncClient, body: bytes, status: int) -> None:
    answer = await viewer.post("/v1/session/start", content=body, headers={"content-type": "application/json"})

    assert status == answer.status_code, answer.text
    problem(answer)


async def test_an_episode_that_is_not_there_is_said_so(viewer: httpx.AsyncClient) -> None:
    body = {"seriesId": HARBOR, "season": 1, "episode": 99, "deviceCaps": {"h264": True}}

    answer = await viewer.post("/v1/session/start", json=body)

    assert (answer.status_code, problem(answer)["reason"]) == (404, "EPISODE_NOT_FOUND")


async def test_admin_routes_want_the_key(vod: System, viewer: httpx.AsyncClient) -> None:
    paths = [f"/v1/picks/{HARBOR}/1/1", "/v1/status"]
    without = [await viewer.get(path) for path in paths]
    wrong = [await viewer.get(path, headers={"X-Api-Key": "wrong"}) for path in paths]
    right = [await viewer.get(path, headers=vod.admin) for path in paths]

    assert [answer.status_code for answer in without + wrong] == [401, 401, 401, 401]
    assert [problem(answer)["reason"] for answer in without + wrong]
    assert [answer.status_code for answer in right] == [200, 200]


async def test_a_dead_swarm_is_passed_over_for_a_living_one(viewer: httpx.AsyncClient, outside: World) -> None:
    """The better-looking release is announced but nobody seeds it; the pick is one that really answers."""
    living = "[Tomoshibi] Lantern Sea - 02 (1080p) [WEB x264].mkv"
    dead = "[Gone] Lantern Sea - 02 (1080p) [WEB-DL x264].mkv"
    file = outside.file(living, living)
    torrent = await outside.add_release(dead, {dead: file}, listings=[Listing(TRACKED, 500, 3, categories=(5070,))])
    outside.seeder.remove(torrent.infohash)

    started = await start(viewer, "mal:anime:9201", 1, 2)
    content = await viewer.get(started["streamUrl"], headers={"Range": "bytes=0-9"})

    assert living == started["pick"]["title"]
    assert (206, file.read_bytes()[:10]) == (content.status_code, content.content)


async def test_no_secret_is_in_any_log(vod: System, viewer: httpx.AsyncClient, outside: World) -> None:
    started = await start(viewer, HARBOR, 1, 1)
    await viewer.get(started["streamUrl"], headers={"Range": "bytes=0-9"})
    token = started["streamUrl"].rsplit("/", 2)[1]
    secrets = [
        token,
        "magnet:?",
        outside.prowlarr.key,
        outside.tmdb.key,
        outside.opensubtitles.key,
        vod.admin["X-Api-Key"],
    ]

    logs = "\n".join(path.read_text(errors="replace") for path in (vod.data / "logs").rglob("*") if path.is_file())

    assert started["sessionId"] in logs, "the logs say nothing of the session, so their silence proves nothing"
    assert [secret for secret in secrets if secret in logs] == []
