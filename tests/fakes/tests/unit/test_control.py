"""A fake misbehaves as told, and remembers what it was asked."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from vod_fakes.control import CutBody, Delay, Hang, html_error, json_reply, too_many_requests
from vod_fakes.media import Profile
from vod_fakes.world import World, shared_folder, world


async def test_requests_are_remembered_and_counted(outside: World, http: httpx.AsyncClient) -> None:
    await http.get(f"{outside.jikan.url}/anime/9201?page=1", headers={"user-agent": "tester"})
    await http.get(f"{outside.jikan.url}/anime/9202")
    control = outside.jikan.control

    assert (control.count(), control.count("/v4/anime/9201"), control.count(page="1")) == (2, 1, 1)
    assert control.asked("/v4/anime/9201")[0].headers["user-agent"] == "tester"


async def test_a_fault_lasts_for_as_many_requests_as_told(outside: World, http: httpx.AsyncClient) -> None:
    outside.jikan.control.misbehave(too_many_requests(retry_after="7"), times=2, path="/v4/anime")
    answers = [await http.get(f"{outside.jikan.url}/anime/9201") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert [answer.headers.get("retry-after") for answer in answers] == ["7", "7", None]


async def test_a_fault_can_hit_one_indexer_only(outside: World, http: httpx.AsyncClient) -> None:
    outside.prowlarr.control.misbehave(html_error(503), query={"indexerIds": "2"})
    url = f"{outside.prowlarr.url}/api/v1/search?query=harbor&apikey={outside.prowlarr.key}"
    answers = [await http.get(f"{url}&indexerIds={n}") for n in (1, 2)]

    assert [(a.status_code, a.headers["content-type"]) for a in answers] == [
        (200, "application/json"),
        (503, "text/html"),
    ]


async def test_an_error_can_come_as_a_success(outside: World, http: httpx.AsyncClient) -> None:
    outside.jikan.control.misbehave(json_reply({"status": 500, "type": "UpstreamException"}))
    answer = await http.get(f"{outside.jikan.url}/anime/9201")
    outside.jikan.control.behave()

    assert (answer.status_code, answer.json()["type"]) == (200, "UpstreamException")
    assert "data" in (await http.get(f"{outside.jikan.url}/anime/9201")).json()


async def test_a_body_can_be_cut(outside: World, http: httpx.AsyncClient) -> None:
    outside.jikan.control.misbehave(CutBody(after=10))

    with pytest.raises(httpx.RemoteProtocolError):
        await http.get(f"{outside.jikan.url}/anime/9201")


@pytest.mark.parametrize("fault", [Hang(), Delay(timedelta(hours=1))])
async def test_an_answer_can_be_missing(outside: World, http: httpx.AsyncClient, fault: Hang | Delay) -> None:
    outside.jikan.control.misbehave(fault)

    with pytest.raises(httpx.ReadTimeout):
        await http.get(f"{outside.jikan.url}/anime/9201", timeout=httpx.Timeout(5, read=0.2))


async def test_a_short_delay_ends_in_the_right_answer(outside: World, http: httpx.AsyncClient) -> None:
    outside.jikan.control.misbehave(Delay(timedelta(milliseconds=50)))
    answer = await http.get(f"{outside.jikan.url}/anime/9201")

    assert (answer.status_code, answer.elapsed >= timedelta(milliseconds=50)) == (200, True)


async def test_a_hanging_request_does_not_keep_the_world_from_ending(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(10), world(shared_folder(), profile=Profile.TINY) as running:
        running.jikan.control.misbehave(Hang())
        with pytest.raises(httpx.ReadTimeout):
            await http.get(f"{running.jikan.url}/anime/9201", timeout=httpx.Timeout(5, read=0.2))


async def test_an_error_inside_the_world_leaves_as_itself() -> None:
    with pytest.raises(LookupError, match="as itself"):
        async with world(shared_folder(), profile=Profile.TINY):
            raise LookupError("as itself")
