"""Who a viewer is, and how often she may search."""

from collections import Counter
from http.cookies import SimpleCookie

import pytest
from vod.catalog.v1.catalog_service_pb2 import SearchTitlesResponse
from vod.playback.v1 import playback_service_pb2 as playback

from vod_rpc import NotFound


@pytest.fixture(autouse=True)
def _all_answer(fakes, samples) -> None:
    fakes.answers |= {
        "StartSession": samples.started,
        "RecordHeartbeat": playback.RecordHeartbeatResponse(),
        "GetNext": playback.GetNextResponse(),
        "GetResume": NotFound("Nothing was left unfinished.", reason="NOTHING_TO_RESUME"),
        "SearchTitles": SearchTitlesResponse(),
    }


def _cookie(answer):
    return SimpleCookie(answer.headers["set-cookie"])["deviceId"]


async def test_a_device_is_known_again_by_its_cookie(http, fakes, samples) -> None:
    first = await http.post("/v1/session/start", json=samples.start)
    await http.get("/v1/resume")

    assert fakes.asked["GetResume"][0].device_id == fakes.asked["StartSession"][0].device_id
    assert len(fakes.asked["StartSession"][0].device_id) == 32
    cookie = _cookie(first)
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert cookie["max-age"] == str(400 * 24 * 3600)
    assert not cookie["secure"]


async def test_the_cookie_is_for_https_where_the_gateway_is(run_gateway, samples) -> None:
    async with run_gateway(public_base="https://vod.example") as (http, _):
        answer = await http.post("/v1/session/start", json=samples.start)

    assert _cookie(answer)["secure"]


async def test_a_forged_cookie_makes_a_new_device_that_sees_nothing_of_others(http, fakes, samples) -> None:
    await http.post("/v1/session/start", json=samples.start)
    victim = fakes.asked["StartSession"][0].device_id
    genuine = http.cookies["deviceId"]
    http.cookies.clear()
    forgeries = [
        victim,
        f"{victim}.{'0' * 64}",
        f"{'1' * 32}.{genuine.partition('.')[2]}",
        genuine[:-1],
        f"{genuine}0",
        "",
    ]
    answers = [await http.get("/v1/resume", headers={"Cookie": f"deviceId={forged}"}) for forged in forgeries]

    devices = {asked.device_id for asked in fakes.asked["GetResume"]}
    assert len(devices) == len(forgeries)
    assert victim not in devices
    assert all(_cookie(answer).value != genuine for answer in answers)


async def test_of_two_cookies_the_one_that_we_signed_counts(http, fakes, samples) -> None:
    await http.post("/v1/session/start", json=samples.start)
    genuine = http.cookies["deviceId"]
    http.cookies.clear()
    await http.get("/v1/resume", headers={"Cookie": f"a=b; deviceId=planted; deviceId={genuine}"})

    assert fakes.asked["GetResume"][0].device_id == fakes.asked["StartSession"][0].device_id


async def test_a_changed_key_keeps_the_device_and_signs_anew(run_gateway, fakes, samples) -> None:
    async with run_gateway() as (http, _):
        await http.post("/v1/session/start", json=samples.start)
        old = http.cookies["deviceId"]
    changed = {"secret_key": "another-secret-key-of-the-tests", "secret_key_previous": "a-secret-key-of-the-tests"}
    async with run_gateway(**changed) as (http, _):
        answer = await http.get("/v1/resume", headers={"Cookie": f"deviceId={old}"})

    assert fakes.asked["GetResume"][0].device_id == fakes.asked["StartSession"][0].device_id
    assert _cookie(answer).value != old


async def test_routes_that_need_no_device_set_no_cookie(http) -> None:
    beat = await http.post("/v1/session/heartbeat", json={"sessionId": "s", "position_s": 1})
    titles = await http.get("/v1/titles")

    assert "set-cookie" not in beat.headers
    assert "set-cookie" not in titles.headers


async def test_searching_too_often_is_told_when_to_come_back(run_gateway, still_runtime, clock, fakes, samples) -> None:
    async with run_gateway(runtime=still_runtime, search_per_minute=30, search_burst=3) as (http, _):
        await http.post("/v1/session/start", json=samples.start)  # the first one has no device yet
        starts = [await http.post("/v1/session/start", json=samples.start) for _ in range(3)]
        refused = await http.get("/v1/session/next", params={"sessionId": "s"})
        clock.seconds += float(refused.headers["retry-after"])
        later = await http.get("/v1/session/next", params={"sessionId": "s"})

    assert [answer.status_code for answer in starts] == [200, 200, 200]
    assert (refused.status_code, refused.json()["reason"]) == (429, "RATE_LIMITED")
    assert refused.headers["retry-after"] == "2"
    assert later.status_code == 200
    assert len(fakes.asked["GetNext"]) == 1


async def test_throwing_the_cookie_away_does_not_help(run_gateway, still_runtime, fakes, samples) -> None:
    async with run_gateway(runtime=still_runtime, search_burst=3) as (http, _):
        for _ in range(20):
            http.cookies.clear()
            answer = await http.post("/v1/session/start", json=samples.start)

    assert answer.status_code == 429
    assert len(fakes.asked["StartSession"]) == 3


async def test_titles_have_a_limit_of_their_own(run_gateway, still_runtime, samples) -> None:
    async with run_gateway(runtime=still_runtime, titles_burst=2) as (http, _):
        titles = [await http.get("/v1/titles") for _ in range(3)]
        start = await http.post("/v1/session/start", json=samples.start)

    assert [answer.status_code for answer in titles] == [200, 200, 429]
    assert start.status_code == 200


async def test_heartbeats_are_never_limited(run_gateway, still_runtime) -> None:
    async with run_gateway(runtime=still_runtime, search_burst=1, titles_burst=1) as (http, _):
        beats = [await http.post("/v1/session/heartbeat", json={"sessionId": "s", "position_s": n}) for n in range(50)]

    answers = Counter(answer.status_code for answer in beats)
    # One that takes 2 s, because the machine stands still, is given up (504), as it would be anywhere.
    assert set(answers) <= {200, 504}
    assert answers[200] > 40


@pytest.mark.parametrize(("trusted", "served"), [("", 2), ("127.0.0.1", 4)])
async def test_forwarded_addresses_count_only_from_trusted_proxies(
    run_gateway, still_runtime, *, trusted, served
) -> None:
    async with run_gateway(runtime=still_runtime, titles_burst=2, trusted_proxies=trusted) as (http, _):
        answers = [await http.get("/v1/titles", headers={"X-Forwarded-For": f"192.0.2.{n % 2}"}) for n in range(6)]

    assert [answer.status_code for answer in answers].count(200) == served
