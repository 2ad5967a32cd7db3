"""Every error is a problem that says what to do, and nothing more."""

import json

import pytest
from vod.playback.v1 import playback_service_pb2 as playback

from vod_rpc import DeadlineExceeded, FailedPrecondition, NotFound, ResourceExhausted, Unavailable

BEAT = {"sessionId": "session-1", "position_s": 1}
JSON = {"Content-Type": "application/json"}


def _problem(answer, status: int, reason: str):
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert {"type", "title", "detail", "instance", "domain", "metadata"} <= answer.json().keys()
    assert len(answer.json()["traceId"]) == 32
    return answer.json()


async def test_an_unknown_path_is_not_found(http) -> None:
    problem = _problem(await http.get("/v1/nope"), 404, "ROUTE_NOT_FOUND")

    assert problem["instance"] == "/v1/nope"


@pytest.mark.parametrize("path", ["/v1/session/start/", "/v1/%2e%2e/%2e%2e/etc/passwd", "//v1/healthz", "/V1/healthz"])
async def test_a_path_has_one_spelling(http, path) -> None:
    _problem(await http.get(path), 404, "ROUTE_NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/v1/session/start", "POST"),
        ("PUT", "/v1/session/heartbeat", "POST"),
        ("DELETE", "/v1/episodes", "GET"),
        ("POST", "/v1/stream/session-1", "GET"),
        ("HEAD", "/v1/session/start", "POST"),
        ("POST", "/v1/aliases/mal:anime:1:1", "DELETE, GET, PUT"),
        ("PUT", "/v1/subtitles/tmdb:tv:9001:S01E01/alignment", "GET, POST"),
    ],
)
async def test_a_wrong_method_is_told_the_right_one(http, method, path, allow) -> None:
    answer = await http.request(method, path, headers=JSON)

    assert answer.status_code == 405
    assert answer.headers["allow"] == allow
    if method != "HEAD":
        _problem(answer, 405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b'{"sessionId": "s", \n "position_s": }', "line 2, column 16"),
        (b"{", "line 1, column 2"),
        (b"not json", "line 1, column 1"),
    ],
)
async def test_broken_json_is_told_where_it_breaks(http, body, where) -> None:
    answer = await http.post("/v1/session/heartbeat", content=body, headers=JSON)

    assert where in _problem(answer, 400, "INVALID_JSON")["detail"]


@pytest.mark.parametrize(
    "body", [b"\xff\xfe\x00", b'{"sessionId": "\xff"}', b"[" * 60_000], ids=["bom", "latin1", "deep"]
)
async def test_what_is_not_json_at_all_is_refused(http, body) -> None:
    _problem(await http.post("/v1/session/heartbeat", content=body, headers=JSON), 400, "INVALID_JSON")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"position_s": -1}, "#/position_s"),
        ({"position_s": "12"}, "#/position_s"),
        ({"position_s": None}, "#/position_s"),
        ({"position_s": 1e300}, "#/position_s"),
        ({"position_s": True}, "#/position_s"),
        ({"buffered_s": -0.5}, "#/buffered_s"),
        ({"bitrate_estimate": "fast"}, "#/bitrate_estimate"),
        ({"bitrate_estimate": 10**30}, "#/bitrate_estimate"),
        ({"sessionId": ""}, "#/sessionId"),
        ({"sessionId": "a/b"}, "#/sessionId"),
        ({"sessionId": "nul\0"}, "#/sessionId"),
        ({"sessionID": "s"}, "#/sessionID"),
        ({"a/b~c": 1}, "#/a~1b~0c"),
    ],
    ids=str,
)
async def test_a_field_that_is_wrong_is_named(http, fakes, change, pointer) -> None:
    answer = await http.post("/v1/session/heartbeat", json={**BEAT, **change})

    problem = _problem(answer, 400, "INVALID_REQUEST")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert not fakes.asked


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
async def test_a_position_that_is_not_a_number_is_refused(http, fakes, number) -> None:
    body = b'{"sessionId": "s", "position_s": ' + number + b"}"
    answer = await http.post("/v1/session/heartbeat", content=body, headers=JSON)

    _problem(answer, 400, "INVALID_REQUEST")
    assert not fakes.asked


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"deviceCaps": {"h265": True}}, "#/deviceCaps/h265"),
        ({"deviceCaps": {"h264": "yes"}}, "#/deviceCaps/h264"),
        ({"deviceCaps": {"maxHeight": -1}}, "#/deviceCaps/maxHeight"),
        ({"deviceCaps": {"audioLanguages": ["en", "english"]}}, "#/deviceCaps/audioLanguages/1"),
        ({"deviceCaps": None}, "#/deviceCaps"),
        ({"season": "1"}, "#/season"),
        ({"season": 1.5}, "#/season"),
        ({"season": True}, "#/season"),
        ({"season": 2**40}, "#/season"),
        ({"seriesId": "Harbor Lights"}, "#/seriesId"),
        ({"subjectId": "a\nb"}, "#/subjectId"),
        ({"deviceId": "0" * 32}, "#/deviceId"),
    ],
    ids=str,
)
async def test_a_start_that_is_wrong_says_where(http, fakes, samples, change, pointer) -> None:
    answer = await http.post("/v1/session/start", json={**samples.start, **change})

    problem = _problem(answer, 400, "INVALID_REQUEST")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert not fakes.asked


async def test_an_empty_or_shapeless_body_is_refused(http) -> None:
    for body in (b"", b"[]", b"null", b'"text"', b"1"):
        answer = await http.post("/v1/session/ended", content=body, headers=JSON)

        assert _problem(answer, 400, "INVALID_REQUEST")["errors"][0]["pointer"] == "#"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/episodes", "seriesId"),
        ("/v1/episodes?seriesId=x", "seriesId"),
        ("/v1/session/next?sessionId=a%20b", "sessionId"),
        ("/v1/resume?seriesId=%00", "seriesId"),
        ("/v1/titles?limit=51", "limit"),
        ("/v1/titles?query=a%00b", "query"),
        (f"/v1/titles?query={'x' * 201}", "query"),
        (f"/v1/stream/{'x' * 129}", "sessionId"),
        ("/v1/subtitles/tmdb:tv:9001:S01E02.vtt?lang=english", "lang"),
    ],
)
async def test_a_parameter_that_is_wrong_is_named(http, fakes, path, name) -> None:
    problem = _problem(await http.get(path), 400, "INVALID_REQUEST")

    assert [error["name"] for error in problem["errors"]] == [name]
    assert not fakes.asked


@pytest.mark.parametrize("key", ["with space", "x" * 256, "caf\xe9"], ids=["space", "long", "latin1"])
async def test_an_idempotency_key_is_visible_ascii(http, samples, key) -> None:
    headers = {"Idempotency-Key": key.encode("latin-1")}
    problem = _problem(
        await http.post("/v1/session/start", json=samples.start, headers=headers), 400, "INVALID_REQUEST"
    )

    assert problem["errors"][0]["in"] == "header"
    assert problem["errors"][0]["name"] == "Idempotency-Key"


async def test_ten_megabytes_are_refused_and_the_client_learns_why(http, fakes) -> None:
    answer = await http.post("/v1/session/heartbeat", content=b" " * 10_000_000, headers=JSON)

    assert _problem(answer, 413, "BODY_TOO_LARGE")["metadata"] == {"max_bytes": "65536"}
    assert not fakes.asked


async def test_a_body_of_unknown_length_is_refused_as_soon_as_it_is_too_large(http, fakes) -> None:
    async def chunks():
        for _ in range(200):
            yield b" " * 1024

    _problem(await http.post("/v1/session/heartbeat", content=chunks(), headers=JSON), 413, "BODY_TOO_LARGE")

    assert not fakes.asked


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
async def test_only_json_is_taken(http, fakes, kind) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    answer = await http.post("/v1/session/heartbeat", content=json.dumps(BEAT), headers=headers)

    _problem(answer, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert not fakes.asked


async def test_json_may_name_its_charset(http, fakes) -> None:
    fakes.answers["RecordHeartbeat"] = playback.RecordHeartbeatResponse()
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    answer = await http.post("/v1/session/heartbeat", content=json.dumps(BEAT), headers=headers)

    assert answer.status_code == 200


REFUSED = [{"title": "Harbor.Lights.S01E03.CAM", "infohash": "0f", "reasons": ["BAD_SOURCE: filmed off a screen"]}]


async def test_a_start_without_a_playable_release_lists_why_each_was_refused(http, fakes, samples) -> None:
    metadata = {"series_id": "tmdb:tv:9001", "refused": json.dumps(REFUSED), "unavailable": "[]"}
    fakes.answers["StartSession"] = NotFound(
        "No release can be played.", reason="NO_PLAYABLE_RELEASE", domain="picks.vod", metadata=metadata
    )
    problem = _problem(await http.post("/v1/session/start", json=samples.start), 404, "NO_PLAYABLE_RELEASE")

    assert problem["type"] == "/problems/picks/no-playable-release"
    assert problem["domain"] == "picks.vod"
    assert problem["detail"] == "No release can be played."
    assert problem["instance"] == "/v1/session/start"
    assert problem["refused"] == REFUSED
    assert problem["unavailable"] == []
    assert problem["metadata"] == {"series_id": "tmdb:tv:9001"}


async def test_metadata_that_is_not_json_stays_text(http, fakes) -> None:
    fakes.answers["RecordHeartbeat"] = NotFound("No.", reason="X", metadata={"refused": "not json"})
    problem = _problem(await http.post("/v1/session/heartbeat", json=BEAT), 404, "X")

    assert problem["metadata"] == {"refused": "not json"}


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (FailedPrecondition("Ended.", reason="SESSION_ENDED"), 409),
        (ResourceExhausted("Full.", reason="NO_ROOM"), 429),
        (Unavailable("Away.", reason="INDEXERS_AWAY"), 503),
        (DeadlineExceeded("Late.", reason="SWARM_SILENT"), 504),
    ],
    ids=lambda value: getattr(value, "reason", str(value)),
)
async def test_failures_of_services_keep_their_reason_and_get_their_status(http, fakes, failure, status) -> None:
    fakes.answers["RecordHeartbeat"] = failure
    problem = _problem(await http.post("/v1/session/heartbeat", json=BEAT), status, failure.reason)

    assert problem["domain"] == "neighbours.vod"


async def test_a_crash_of_a_service_tells_nothing_but_a_trace_id(http) -> None:
    # The fake has no answer laid down and crashes.
    problem = _problem(await http.post("/v1/session/heartbeat", json=BEAT), 500, "INTERNAL")

    assert problem["detail"] == "internal error"
    assert "KeyError" not in json.dumps(problem)


async def test_a_crash_of_the_gateway_itself_tells_nothing_but_a_trace_id(http, fakes, samples) -> None:
    # An answer that the API has no words for: the mapping of a negative score can't be written.
    broken = playback.RecordHeartbeatResponse(next_hint=samples.hint)
    fakes.answers["GetResume"] = playback.GetResumeResponse(pick={"picked_at": {"seconds": 10**15}})
    fakes.answers["RecordHeartbeat"] = broken
    problem = _problem(await http.get("/v1/resume"), 500, "INTERNAL")

    assert problem["detail"] == "internal error"


async def test_every_answer_tells_browsers_not_to_be_clever(http) -> None:
    for answer in [await http.get("/v1/nope"), await http.get("/v1/healthz"), await http.post("/v1/session/start")]:
        headers = answer.headers

        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert headers["vary"] == "Origin"
        assert "server" not in headers
