"""What a request leaves behind, and what it must not."""

import io
from dataclasses import replace

import pytest
from prometheus_client import generate_latest
from vod.playback.v1 import playback_service_pb2 as playback

from vod_runtime.logging import logger


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def runtime(make_runtime, log):
    return replace(make_runtime("gateway"), log=logger("gateway", level="DEBUG", out=log))


@pytest.fixture(autouse=True)
def _all_answer(fakes, samples) -> None:
    fakes.answers |= {
        "StartSession": samples.started,
        "RecordHeartbeat": playback.RecordHeartbeatResponse(),
        "GetStream": playback.GetStreamResponse(stream_url=samples.stream_url),
        "ListSessions": playback.ListSessionsResponse(),
    }


async def _watch(run_gateway, runtime, samples) -> None:
    async with run_gateway(runtime=runtime) as (http, _):
        await http.post("/v1/session/start", json={**samples.start, "subjectId": "anna"})
        await http.post("/v1/session/heartbeat", json={"sessionId": "session-1", "position_s": 1})
        await http.get("/v1/stream/session-1")
        await http.get("/v1/status", headers={"X-Api-Key": samples.admin_key})
        await http.get("/v1/healthz")
        await http.get("/v1/titles?query=private-words", headers={"X-Api-Key": "wrong-key"})
        await http.get("/nope/at/all")
        await http.request("BREW", "/v1/version")


async def test_requests_are_counted_by_route_not_by_path(run_gateway, runtime, samples) -> None:
    await _watch(run_gateway, runtime, samples)
    metrics = generate_latest(runtime.metrics).decode()

    assert 'vod_http_requests_total{method="POST",route="/v1/session/start",status="200"} 1.0' in metrics
    assert 'vod_http_requests_total{method="GET",route="/v1/stream/{sessionId}",status="307"} 1.0' in metrics
    assert 'vod_http_requests_total{method="GET",route="unmatched",status="404"} 1.0' in metrics
    assert 'vod_http_request_seconds_count{method="POST",route="/v1/session/heartbeat"} 1.0' in metrics
    assert "session-1" not in metrics
    assert "nope" not in metrics
    assert "BREW" not in metrics


async def test_each_request_is_one_line_without_secrets(run_gateway, runtime, samples, log) -> None:
    await _watch(run_gateway, runtime, samples)
    lines = [line for line in log.getvalue().splitlines() if "http_request" in line]

    assert len(lines) >= 7
    assert '"route": "/v1/stream/{sessionId}", "status": 307' in log.getvalue()
    assert '"session_id": "session-1"' in lines[0]
    assert '"reason": "ROUTE_NOT_FOUND"' in log.getvalue()
    for secret in ("magnet:", "a-token", samples.admin_key, "wrong-key", "deviceId", "anna", "private-words"):
        assert secret not in log.getvalue()


async def test_a_request_is_one_trace_down_to_the_services(run_gateway, runtime, samples, spans) -> None:
    await _watch(run_gateway, runtime, samples)
    by_name = {span.name: span for span in spans.get_finished_spans() if span.parent is None}
    start = by_name["POST /v1/session/start"]
    traced = [span.name for span in spans.get_finished_spans() if span.context.trace_id == start.context.trace_id]

    assert "/vod.playback.v1.PlaybackService/StartSession" in traced
    assert start.attributes == {
        "http.request.method": "POST",
        "http.route": "/v1/session/start",
        "http.response.status_code": 200,
    }


async def test_heartbeats_and_health_have_no_span_of_their_own(run_gateway, runtime, samples, spans) -> None:
    await _watch(run_gateway, runtime, samples)
    names = {span.name for span in spans.get_finished_spans()}

    assert not [name for name in names if name.endswith(("/v1/session/heartbeat", "/v1/healthz"))]


async def test_a_strangers_trace_context_does_not_steer_ours(run_gateway, runtime, spans) -> None:
    theirs = "4bf92f3577b34da6a3ce929d0e0e4736"
    async with run_gateway(runtime=runtime) as (http, _):
        answer = await http.get("/nope", headers={"traceparent": f"00-{theirs}-00f067aa0ba902b7-01"})

    assert answer.json()["traceId"] != theirs
    assert answer.json()["traceId"] in {format(span.context.trace_id, "032x") for span in spans.get_finished_spans()}


async def test_requests_are_roots_whatever_span_the_gateway_was_started_in(run_gateway, runtime, spans) -> None:
    with runtime.tracer_provider.get_tracer("test").start_as_current_span("starting"):
        async with run_gateway(runtime=runtime) as (http, _):
            await http.get("/nope")

    [span] = [span for span in spans.get_finished_spans() if span.name == "GET unmatched"]
    assert span.parent is None
