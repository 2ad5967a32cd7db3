"""A fake of AniSkip v2 (https://api.aniskip.com/api-docs), which filters by length as the real server does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vod_fakes.control import Control

_TOLERANCE_SECONDS = 20
_BAD_REQUEST = {"statusCode": 400, "message": ["episodeLength must not be less than 0"], "error": "Bad Request"}


@dataclass(frozen=True, slots=True)
class Mark:
    """What somebody marked on a file of some length, in seconds."""

    mal_id: int
    episode: int
    kind: str
    start: float
    end: float
    length: float


@dataclass(slots=True)
class AniSkip:
    """AniSkip with our marks. `url` is its base (with `/v2`) once it is served."""

    marks: tuple[Mark, ...] = ()
    control: Control = field(default_factory=Control)
    url: str = ""

    def app(self) -> Starlette:
        """The HTTP application."""
        return Starlette(routes=[Route("/v2/skip-times/{mal:int}/{episode:int}", self._skip_times)])

    async def _skip_times(self, request: Request) -> Response:
        types, length = request.query_params.getlist("types"), request.query_params.get("episodeLength")
        if not types or length is None or float(length) < 0:
            return JSONResponse(_BAD_REQUEST, 400)
        wanted = (request.path_params["mal"], request.path_params["episode"])
        found: dict[str, Mark] = {}
        for mark in self.marks:
            near = float(length) == 0 or abs(mark.length - float(length)) <= _TOLERANCE_SECONDS
            if (mark.mal_id, mark.episode) == wanted and mark.kind in types and near:
                found.setdefault(mark.kind, mark)
        body = {
            "statusCode": 200 if found else 404,
            "message": "Successfully found skip times" if found else "No skip times found",
            "found": bool(found),
            "results": [_result(mark) for mark in found.values()],
        }
        return JSONResponse(body, 200 if found else 404)


def _result(mark: Mark) -> dict[str, Any]:
    return {
        "interval": {"startTime": mark.start, "endTime": mark.end},
        "skipType": mark.kind,
        "skipId": "00000000-0000-4000-8000-000000000000",
        "episodeLength": mark.length,
    }
