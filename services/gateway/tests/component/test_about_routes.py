"""The gateway itself."""

import re
from importlib.metadata import version
from pathlib import Path

from jsonschema_rs import Draft202012Validator

from vod_gateway import dto, dto_library

PATHS = {
    "/v1/session/start": {"post"},
    "/v1/session/heartbeat": {"post"},
    "/v1/session/ended": {"post"},
    "/v1/session/next": {"get"},
    "/v1/session/{sessionId}/progress": {"get"},
    "/v1/session/override-pick": {"post"},
    "/v1/session/{sessionId}/events": {"get"},
    "/v1/continue-watching": {"get"},
    "/v1/devices": {"get"},
    "/v1/resume": {"get"},
    "/v1/stream/{sessionId}": {"get"},
    "/v1/subtitles/{episodeKey}": {"get"},
    "/v1/subtitles/{episodeKey}.ass": {"get"},
    "/v1/subtitles/{episodeKey}.vtt": {"get"},
    "/v1/subtitles/{episodeKey}/alignment": {"get", "post"},
    "/v1/subtitles/{episodeKey}/timing": {"post"},
    "/v1/subtitles/fonts/{id}": {"get"},
    "/v1/titles": {"get"},
    "/v1/episodes": {"get"},
    "/v1/aliases": {"get"},
    "/v1/aliases/{ref}": {"get", "put", "delete"},
    "/v1/trending": {"get"},
    "/api/content/trending": {"get"},
    "/v1/content/{id}/watch": {"get"},
    "/api/content/{id}/watch": {"get"},
    "/v1/sources": {"get"},
    "/api/sources": {"get"},
    "/v1/progress": {"post"},
    "/api/user/progress": {"post"},
    "/v1/play/{playId}/{part}": {"get"},
    "/v1/images/{seriesId}/{kind}": {"get"},
    "/v1/picks/{seriesId}/{season}/{episode}": {"get"},
    "/v1/picks/reject": {"post"},
    "/v1/picks/{seriesId}/{season}/{episode}/diff": {"get"},
    "/v1/status": {"get"},
    "/v1/healthz": {"get"},
    "/v1/readyz": {"get"},
    "/v1/version": {"get"},
}


def test_the_readme_lists_every_route() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    cells = [line.split(" | ")[0] for line in readme.splitlines() if line.startswith("| ")]
    listed = {
        (method, re.sub(r"{\w+}", "{}", path))
        for cell in cells
        for method in re.findall(r"\b[A-Z]{3,6}\b", cell)
        for path in re.findall(r"/(?:v1|api)/[\w/{}.-]+", cell)
    }
    routes = {(method.upper(), re.sub(r"{\w+}", "{}", path)) for path, methods in PATHS.items() for method in methods}

    assert routes - listed == set()


async def test_it_lives_is_ready_and_says_its_version(http) -> None:
    answers = [await http.get(f"/v1/{path}") for path in ("healthz", "readyz", "version")]

    assert [answer.json() for answer in answers] == [
        {"status": "ok"},
        {"status": "ready"},
        {"name": "NovaStream", "version": version("vod-gateway"), "api": "v1"},
    ]


async def test_a_draining_gateway_is_alive_but_not_ready(run_gateway) -> None:
    async with run_gateway() as (http, endpoint):
        await endpoint.drain()
        alive, ready = await http.get("/v1/healthz"), await http.get("/v1/readyz")

    assert (alive.status_code, ready.status_code) == (200, 503)
    assert ready.json()["reason"] == "DRAINING"
    assert "retry-after" in ready.headers


async def test_neighbours_that_are_away_do_not_make_it_unready(run_gateway, tmp_path) -> None:
    nowhere = f"unix:{tmp_path}/nowhere.sock"
    targets = dict.fromkeys(["playback_target", "catalog_target", "subtitles_target", "picks_target"], nowhere)
    async with run_gateway(**targets) as (http, _):
        ready, answer = await http.get("/v1/readyz"), await http.get("/v1/session/next?sessionId=s")

    assert ready.status_code == 200
    assert (answer.status_code, answer.json()["reason"]) == (503, "UNAVAILABLE")
    assert "retry-after" in answer.headers


async def test_the_front_page_tells_newcomers_what_there_is(http) -> None:
    page = await http.get("/")

    assert page.headers["content-type"].startswith("text/html")
    assert all(path in page.text for path in PATHS)
    assert '<a href="/openapi.json">' in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text


async def test_the_description_names_every_route(http) -> None:
    schema = (await http.get("/openapi.json")).json()

    assert schema["openapi"].startswith("3.1")
    assert {path: set(methods) for path, methods in schema["paths"].items()} == PATHS
    assert (await http.get("/v1/openapi.json")).json() == schema


async def test_there_is_no_page_that_loads_scripts_from_elsewhere(http) -> None:
    answers = [await http.get(path) for path in ("/docs", "/redoc", "/docs/oauth2-redirect")]

    assert [answer.status_code for answer in answers] == [404, 404, 404]


async def test_every_route_is_described_with_its_problems_and_examples(http) -> None:
    schema = (await http.get("/openapi.json")).json()
    operations = [operation for path in schema["paths"].values() for operation in path.values()]

    for operation in operations:
        assert operation["summary"]
        assert operation["description"]
        assert "application/problem+json" in operation["responses"]["default"]["content"]
        assert "422" not in operation["responses"]
        assert all("example" in media for _, media in _bodies(operation))
        assert all(
            "examples" in one["schema"] or "examples" in one or "default" in one["schema"] or not one["required"]
            for one in operation.get("parameters", [])
        )


async def test_every_example_has_the_shape_that_is_described(http) -> None:
    schema = (await http.get("/openapi.json")).json()
    shown = [
        (media["schema"], example)
        for path in schema["paths"].values()
        for operation in path.values()
        for _, media in [*_bodies(operation), *_problems(operation)]
        for example in [media.get("example"), *(one["value"] for one in media.get("examples", {}).values())]
        if example is not None
    ]

    assert len(shown) > 50
    for shape, example in shown:
        Draft202012Validator({**shape, "components": schema["components"]}).validate(example)


async def test_the_examples_of_requests_are_taken(http) -> None:
    requests = [dto.StartRequest, dto.HeartbeatRequest, dto.EndedRequest, dto.OverrideRequest, dto_library.Problem]
    schemas = (await http.get("/openapi.json")).json()["components"]["schemas"]

    for model in requests:
        for example in schemas[model.__name__]["examples"]:
            assert model.model_validate(example)


def _bodies(operation):
    holders = [operation.get("requestBody", {}), *operation["responses"].values()]
    return [(kind, media) for one in holders for kind, media in one.get("content", {}).items() if "problem" not in kind]


def _problems(operation):
    holders = operation["responses"].values()
    return [(kind, media) for one in holders for kind, media in one.get("content", {}).items() if "problem" in kind]
