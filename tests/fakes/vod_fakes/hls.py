"""Hosts of direct sources: an HLS stream that may want a header or a token, or die; and a Consumet-shaped API."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vod_fakes.control import Control

_RATE = 10


def make_hls(folder: Path, *, seconds: int = 12, cut: int = 2) -> Path:
    """Write a small stream with a segment every *cut* seconds; return its playlist."""
    folder.mkdir(parents=True, exist_ok=True)
    playlist = folder / "index.m3u8"
    options = {"hls_time": str(cut), "hls_list_size": "0", "hls_segment_filename": str(folder / "seg%d.ts")}
    with av.open(str(playlist), "w", format="hls", options=options) as out:
        stream = out.add_stream("mpeg2video", rate=_RATE, options={"g": str(_RATE)})
        stream.width, stream.height, stream.pix_fmt = 128, 72, "yuv420p"
        stream.time_base = Fraction(1, _RATE)
        for number in range(seconds * _RATE):
            frame = av.VideoFrame(128, 72, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([number % 200 + 20]) * plane.buffer_size)
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return playlist


@dataclass(slots=True)
class HlsHost:
    """A host with one stream at `{url}/master.m3u8`."""

    folder: Path
    needs: dict[str, str] = field(default_factory=dict)
    """Headers (lower case) without which everything is 403."""
    tokens: set[str] | None = None
    """Tokens that are good; None: none is asked for."""
    dies_after: int | None = None
    """How many segments are answered whole before all is 503."""
    first_line: str = ""
    """Comes before the segments of the playlist."""
    first_number: int = 0
    """The media sequence number of the first segment."""
    control: Control = field(default_factory=Control)
    segments: int = 0
    url: str = ""

    def app(self) -> Starlette:
        """The HTTP application."""
        return Starlette(routes=[Route("/{name}", self._answer)])

    async def _answer(self, request: Request) -> Response:
        name, token = request.path_params["name"], request.query_params.get("token", "")
        if any(request.headers.get(header) != value for header, value in self.needs.items()):
            return Response(status_code=403)
        if self.tokens is not None and token not in self.tokens:
            return Response(status_code=403)
        if self.dies_after is not None and self.segments >= self.dies_after:
            return Response(status_code=503)
        suffix = f"?token={token}" if token else ""
        if name == "master.m3u8":
            return Response(f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=300000\nindex.m3u8{suffix}\n")
        body = (self.folder / name).read_bytes()
        if name.endswith(".m3u8"):
            text = body.decode().replace(".ts", f".ts{suffix}").replace("#EXTINF", f"{self.first_line}#EXTINF", 1)
            return Response(text.replace("SEQUENCE:0", f"SEQUENCE:{self.first_number}"))
        # A probe takes the first bytes only.
        self.segments += "range" not in request.headers
        return Response(body, media_type="video/mp2t")


@dataclass(slots=True)
class ConsumetApi:
    """A Consumet-shaped API with one film; `address` makes its source's address anew each time."""

    tmdb_id: str
    address: Callable[[int], str]
    headers: dict[str, str] = field(default_factory=dict)
    control: Control = field(default_factory=Control)
    given: int = 0
    url: str = ""

    def app(self) -> Starlette:
        """The HTTP application."""
        return Starlette(routes=[Route("/info/{id}", self._info), Route("/watch/{episode}", self._watch)])

    async def _info(self, request: Request) -> Response:
        if request.path_params["id"] != self.tmdb_id:
            return JSONResponse({"message": "not found"}, 404)
        return JSONResponse({"id": self.tmdb_id, "title": "A film", "episodeId": "film-1"})

    async def _watch(self, _: Request) -> Response:
        self.given += 1
        source = {"url": self.address(self.given), "quality": "1080p", "isM3U8": True}
        return JSONResponse({"headers": self.headers, "sources": [source, {"url": None}], "subtitles": []})


def in_seconds(seconds: float) -> int:
    """Return a moment from now as Unix time, as signed addresses carry it."""
    return int(time.time() + seconds)
