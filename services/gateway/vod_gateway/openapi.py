"""The description of the API (OpenAPI 3.1): every route with its problems, and an example for each thing sent."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from vod_gateway import errors
from vod_gateway.dto_library import Problem
from vod_gateway.problems import PROBLEM_JSON, problem_object
from vod_rpc import DeadlineExceeded, FailedPrecondition, Failure, NotFound, ResourceExhausted, Unavailable

_TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_DESCRIPTION = """\
Pick an episode, get an address that any player can open; the next one is ready before this one ends.

Errors are problem+json (RFC 9457): programs look at `reason` and `domain`, people at `detail`. 400 covers everything
that is wrong with a request; `errors` then names each place. Requests are taken strictly: unknown fields are refused.
"""

INVALID = errors.InvalidRequest(
    "The request is not valid: #/season",
    metadata={
        "errors": json.dumps([{"in": "body", "pointer": "#/season", "detail": "Input should be a valid integer"}])
    },
)
INVALID_PARAMETER = errors.InvalidRequest(
    "The request is not valid: seriesId",
    metadata={"errors": json.dumps([{"in": "query", "name": "seriesId", "detail": "Field required"}])},
)
BROKEN_JSON = errors.InvalidJson(
    "The body is not JSON: Expecting value at line 1, column 14.", metadata={"line": "1", "column": "14"}
)
FOREIGN_ORIGIN = errors.OriginNotAllowed(
    "Web pages of that origin may not use this gateway; CORS_ORIGINS lists those that may."
)
TOO_LARGE = errors.BodyTooLarge("A body may have 65536 bytes.", metadata={"max_bytes": "65536"})
NOT_JSON = errors.UnsupportedMediaType("Send the body as application/json.")
TOO_MANY = errors.RateLimited("Too many searches; please wait a little.", retry_after=timedelta(seconds=2))
UNAVAILABLE = Unavailable("unavailable", domain="grpc")
TOO_LATE = DeadlineExceeded("deadline exceeded", domain="grpc")
NO_EPISODE = NotFound("There is no episode S01E09.", reason="EPISODE_NOT_FOUND", domain="catalog.vod")
NO_SERIES = NotFound("There is no title tmdb:tv:1.", reason="SERIES_NOT_FOUND", domain="catalog.vod")
NO_SESSION = NotFound("There is no such session.", reason="SESSION_NOT_FOUND", domain="playback.vod")
ENDED = FailedPrecondition("The session has ended; start a new one.", reason="SESSION_ENDED", domain="playback.vod")
KEY_REUSED = FailedPrecondition(
    "This request id was used to start another episode.", reason="REQUEST_ID_REUSED", domain="playback.vod"
)
NO_RELEASE = NotFound(
    "No release of tmdb:tv:9001 S01E03 can be played.",
    reason="NO_PLAYABLE_RELEASE",
    domain="picks.vod",
    metadata={
        "series_id": "tmdb:tv:9001",
        "refused_count": "1",
        "refused": json.dumps(
            [
                {
                    "title": "Harbor.Lights.S01E03.1080p.CAM.x264-ROCK",
                    "infohash": "0f1a2b3c4d5e6f705d1ce7a9b0f34e2c8a6d7b9e",
                    "reasons": ["BAD_SOURCE: filmed off a screen (CAM)"],
                }
            ]
        ),
        "unavailable": "[]",
    },
)
NO_PICK = NotFound("There is no pick 17.", reason="PICK_UNKNOWN", domain="picks.vod")
NOTHING_FOLLOWS = FailedPrecondition(
    "No episode follows that could be chosen for.", reason="NOTHING_FOLLOWS", domain="playback.vod"
)
NO_CANDIDATE = NotFound("That release is not a candidate.", reason="CANDIDATE_UNKNOWN", domain="picks.vod")
REFUSED_CANDIDATE = FailedPrecondition(
    "This release can't be played: nobody has it.", reason="CANDIDATE_REFUSED", domain="picks.vod"
)
NOTHING_TO_RESUME = NotFound("Nothing was left unfinished.", reason="NOTHING_TO_RESUME", domain="playback.vod")
NO_SUBTITLE = NotFound("There is no subtitle in fr.", reason="SUBTITLE_NOT_FOUND", domain="subtitles.vod")
NO_REFERENCE = FailedPrecondition(
    "No track is known to fit this file, so there is nothing to compare with.",
    reason="NO_REFERENCE_TRACK",
    domain="subtitles.vod",
)
NO_DOWNLOADS = ResourceExhausted(
    "The downloads at opensubtitles are used up until 2026-11-21T00:00:00+00:00.",
    reason="SUBTITLE_QUOTA_EXHAUSTED",
    domain="subtitles.vod",
    metadata={"source": "opensubtitles", "resets_at": "2026-11-21T00:00:00+00:00"},
)
NO_MAPPING = NotFound("mal:anime:48583:1 was not mapped by hand.", reason="MAPPING_NOT_FOUND", domain="catalog.vod")
NO_PLAY = NotFound("There is no such source; ask for sources again.", reason="PLAY_NOT_FOUND", domain="sources.vod")
NO_SOURCE = Unavailable("The source died, and there is no other.", reason="SOURCE_GONE", domain="sources.vod")
NO_IMAGE = NotFound("Harbor Lights has no backdrop.", reason="IMAGE_NOT_FOUND", domain="catalog.vod")
DIRECT_OFF = errors.DirectPlayOff("Only the owner may play torrents directly: with the admin key, or VOD_DIRECT_PLAY.")
SILENT = DeadlineExceeded(
    "No peer told in time what is in the torrent.", reason="SWARM_SILENT", domain="stream-node.vod"
)
NOT_DOWNLOADED = NotFound(
    "A direct source is not downloaded ahead; there is no progress to tell.",
    reason="NOTHING_PINNED",
    domain="playback.vod",
)
NOT_HELD = NotFound("Nobody holds that file here.", reason="PIN_UNKNOWN", domain="stream-node.vod")
NO_KEY = errors.AdminKeyRequired("Send the admin key as X-Api-Key or as a Bearer token.")
NO_ADMIN = errors.AdminRoutesOff("The admin routes are off: the gateway was started without VOD_ADMIN_KEY.")
DRAINING = errors.Draining("The gateway is stopping.")

POST = (BROKEN_JSON, FOREIGN_ORIGIN, TOO_LARGE, NOT_JSON)
DOWNSTREAM = (UNAVAILABLE, TOO_LATE)
Responses = dict[int | str, dict[str, Any]]


def problems(*failures: Failure) -> Responses:
    """Describe what a route may answer instead of what it was asked for."""
    answers: Responses = {"default": _answer("Any other problem.")}
    for failure in failures:
        status, example = problem_object(failure, instance="/v1/…", trace_id=_TRACE_ID)
        answer = answers.setdefault(status, _answer(""))
        answer["description"] = ", ".join(filter(None, [answer["description"], f"`{failure.reason}`"]))
        answer["content"][PROBLEM_JSON].setdefault("examples", {})[failure.reason] = {"value": example}
    return answers


def _answer(description: str) -> dict[str, Any]:
    return {"description": description, "content": {PROBLEM_JSON: {"schema": _PROBLEM}}}


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the whole description; made once, since nothing in it changes."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, summary=app.summary, description=_DESCRIPTION, routes=app.routes
        )
        _, definitions = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
        schemas = schema["components"]["schemas"]
        schemas.update(definitions["$defs"])
        for path in schema["paths"].values():
            for operation in path.values():
                _show_examples(operation, schemas)
        app.openapi_schema = schema
    return app.openapi_schema


def _show_examples(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> None:
    """Put the example of each model where readers look first: beside the body that has its shape."""
    for body in [operation.get("requestBody", {}), *operation["responses"].values()]:
        media = body.get("content", {}).get("application/json")
        if media is None:
            continue
        shape = media["schema"]
        one = _example(shape.get("items", shape), schemas)
        if one is not None:
            media["example"] = [one] if "items" in shape else one


def _example(shape: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    shape = shape.get("oneOf", [shape])[0]
    name = str(shape.get("$ref", "")).rpartition("/")[2]
    return schemas.get(name, {}).get("examples", [None])[0]
