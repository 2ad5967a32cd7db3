"""APIs that name direct sources, in the shapes that others gave theirs; and hosts of files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vod_fakes.control import Control

Json = dict[str, Any]


@dataclass(slots=True)
class ConsumetShows:
    """A Consumet-shaped API (`meta/tmdb`) with one series; its numbers may be texts, as some builds have them."""

    tmdb_id: str
    sources: list[Json]
    headers: Json = field(default_factory=dict)
    season: int | str = 1
    episode: int | str = 2
    control: Control = field(default_factory=Control)
    url: str = ""

    def app(self) -> Starlette:
        """The HTTP application."""
        return Starlette(routes=[Route("/info/{id}", self._info), Route("/watch/{episode:path}", self._watch)])

    async def _info(self, request: Request) -> Response:
        if request.path_params["id"] != self.tmdb_id or request.query_params.get("type") != "tv":
            return JSONResponse({"message": "Not found"}, 404)
        first = {"id": "show/s1e1", "title": "One", "episode": 1}
        second = {"id": "show/s1e2", "title": "Two", "episode": self.episode, "season": self.season}
        seasons = [{"season": 0, "episodes": []}, {"season": self.season, "episodes": [first, second, None]}]
        return JSONResponse({"id": "tv/show", "title": "A show", "seasons": seasons})

    async def _watch(self, request: Request) -> Response:
        asked = (request.path_params["episode"], request.query_params.get("id"))
        if asked != ("show/s1e2", "tv/show"):
            return JSONResponse({"message": "Not found"}, 404)
        return JSONResponse({"headers": self.headers, "sources": self.sources, "subtitles": None})


@dataclass(slots=True)
class VidlinkApi:
    """A Vidlink-shaped API: what it has, by path (`movie/9101`, `tv/9001/1/2`)."""

    streams: dict[str, object]
    control: Control = field(default_factory=Control)
    url: str = ""

    def app(self) -> Starlette:
        """The HTTP application."""
        return Starlette(routes=[Route("/api/{path:path}", self._stream)])

    async def _stream(self, request: Request) -> Response:
        stream = self.streams.get(request.path_params["path"])
        if stream is None:
            return JSONResponse({"error": "No source"}, 404)
        return JSONResponse({"sourceId": "one", "stream": stream})


@dataclass(slots=True)
class StremioApi:
    """A Stremio add-on with streams by type and video id, as the protocol's document describes it."""

    streams: dict[tuple[str, str], list[Json]]
    control: Control = field(default_factory=Control)
    url: str = ""

    def app(self) -> Starlette:
        """The HTTP application."""
        return Starlette(
            routes=[
                Route("/manifest.json", self._manifest),
                Route("/stream/{type}/{id}.json", self._answer),
            ]
        )

    async def _manifest(self, _: Request) -> Response:
        resources = [{"name": "stream", "types": ["movie", "series"], "idPrefixes": ["tt"]}]
        return JSONResponse({"id": "example.streams", "version": "1.0.0", "name": "Streams", "resources": resources})

    async def _answer(self, request: Request) -> Response:
        found = self.streams.get((request.path_params["type"], request.path_params["id"]), [])
        return JSONResponse({"streams": found, "cacheMaxAge": 3600}, headers={"access-control-allow-origin": "*"})


@dataclass(slots=True)
class FileHost:
    """A host with files by name; `knows_ranges` it may not, and `refuses` may turn any request away."""

    files: dict[str, bytes]
    knows_ranges: bool = True
    refuses: Callable[[Request], int] = lambda _: 0
    """Returns the status to refuse with, 0 to answer."""
    control: Control = field(default_factory=Control)
    url: str = ""

    def app(self) -> Starlette:
        """The HTTP application."""
        return Starlette(routes=[Route("/{name:path}", self._answer)])

    async def _answer(self, request: Request) -> Response:
        if status := self.refuses(request):
            return Response(status_code=status)
        body = self.files.get(request.path_params["name"])
        if body is None:
            return Response(status_code=404)
        wanted = request.headers.get("range", "").removeprefix("bytes=")
        if not wanted or not self.knows_ranges:
            return Response(body, media_type="video/mp4")
        first, _, last = wanted.partition("-")
        begin, end = int(first), min(int(last or len(body)), len(body) - 1)
        if begin >= len(body):
            return Response(status_code=416, headers={"content-range": f"bytes */{len(body)}"})
        headers = {"content-range": f"bytes {begin}-{end}/{len(body)}"}
        return Response(body[begin : end + 1], 206, headers, media_type="video/mp4")
