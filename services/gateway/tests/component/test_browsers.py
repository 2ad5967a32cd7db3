"""What a page of another site can't make a browser do."""

import pytest
from vod.playback.v1 import playback_service_pb2 as playback

BEAT = {"sessionId": "session-1", "position_s": 1}
UI = "https://ui.example"
FOREIGN = [
    "https://evil.example",
    "null",
    "https://ui.example.evil.example",
    "https://sub.ui.example",
    "http://ui.example",
    "",
]
POSTS = ["/v1/session/start", "/v1/session/heartbeat", "/v1/session/ended", "/v1/session/override-pick"]


@pytest.fixture(autouse=True)
def _all_answer(fakes) -> None:
    fakes.answers["RecordHeartbeat"] = playback.RecordHeartbeatResponse()


async def test_the_configured_interface_may_read_answers_and_errors(http) -> None:
    beat = await http.post("/v1/session/heartbeat", json=BEAT, headers={"Origin": UI})
    error = await http.post("/v1/session/heartbeat", json={}, headers={"Origin": UI})

    assert (beat.status_code, error.status_code) == (200, 400)
    for answer in (beat, error):
        assert answer.headers["access-control-allow-origin"] == UI
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert answer.headers["vary"] == "Origin"


async def test_the_gateways_own_pages_may(http) -> None:
    own = str(http.base_url).rstrip("/")
    answer = await http.post(
        "/v1/session/heartbeat", json=BEAT, headers={"Origin": own, "Sec-Fetch-Site": "same-origin"}
    )

    assert answer.status_code == 200


async def test_pages_under_the_public_address_may(run_gateway) -> None:
    async with run_gateway(public_base="https://vod.example/") as (http, _):
        headers = {"Origin": "https://vod.example", "Host": "vod.example"}
        answer = await http.post("/v1/session/heartbeat", json=BEAT, headers=headers)

    assert answer.status_code == 200


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("path", POSTS)
async def test_no_other_page_changes_anything(http, fakes, path, origin) -> None:
    answer = await http.post(path, json=BEAT, headers={"Origin": origin})

    assert (answer.status_code, answer.json()["reason"]) == (403, "ORIGIN_NOT_ALLOWED")
    assert "access-control-allow-origin" not in answer.headers
    assert not fakes.asked


@pytest.mark.parametrize("origin", FOREIGN)
async def test_no_other_page_reads_anything(http, origin) -> None:
    answer = await http.get("/v1/version", headers={"Origin": origin})

    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_what_a_browser_calls_foreign_is_foreign(http, fakes, site) -> None:
    answer = await http.post("/v1/session/heartbeat", json=BEAT, headers={"Sec-Fetch-Site": site})

    assert answer.status_code == 403
    assert not fakes.asked


async def test_programs_that_are_no_browsers_may(http) -> None:
    assert (await http.post("/v1/session/heartbeat", json=BEAT)).status_code == 200


async def test_the_interface_may_ask_beforehand(http) -> None:
    headers = {
        "Origin": UI,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
        "Access-Control-Request-Private-Network": "true",
    }
    answer = await http.options("/v1/session/start", headers=headers)

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == UI
    assert answer.headers["access-control-allow-methods"] == "GET, POST"
    assert answer.headers["access-control-allow-headers"] == "Content-Type, Idempotency-Key"
    assert "access-control-allow-private-network" not in answer.headers


async def test_others_are_refused_when_they_ask(http) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = await http.options("/v1/session/start", headers=headers)

    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:80", "127.0.0.1.evil.example", "192.0.2.1"])
@pytest.mark.parametrize("path", ["/", "/v1/healthz", "/v1/version", "/openapi.json", "/v1/nope"])
async def test_a_rebound_name_reaches_no_route(http, host, path) -> None:
    answer = await http.get(path, headers={"Host": host})

    assert (answer.status_code, answer.json()["reason"]) == (421, "HOST_NOT_ALLOWED")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1234", "[::1]", "vod.example", "tv.local:8080"])
async def test_our_names_are_served(run_gateway, host) -> None:
    async with run_gateway(public_base="https://vod.example", allowed_hosts="tv.local") as (http, _):
        answer = await http.get("/v1/healthz", headers={"Host": host})

    assert answer.status_code == 200
