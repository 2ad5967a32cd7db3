"""A fake of a Stremio add-on with torrents, as the add-on SDK serves one: a manifest, and streams by type and id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vod_fakes.control import Control
from vod_fakes.torrents import Torrent

Json = dict[str, Any]

_CORS = {"access-control-allow-origin": "*"}


@dataclass(slots=True)
class StremioAddon:
    """An add-on; everything lies under `/{configuration}`, as with those that a user configures first."""

    name: str = "Lamp Room"
    types: Sequence[str] = ("movie", "series")
    id_prefixes: Sequence[str] = ("tt",)
    resources: Sequence[Any] = ("stream",)
    configuration: str = "quality=best"
    control: Control = field(default_factory=Control)
    url: str = ""
    streams: dict[str, list[Json]] = field(default_factory=dict)
    """By `type/id`, for example `series/tt99009001:1:2`."""

    @property
    def manifest_url(self) -> str:
        """What a user copies."""
        return f"{self.url}/{self.configuration}/manifest.json"

    def offer(self, place: str, torrent: Torrent, *, text: str, tracker_url: str, **hints: Any) -> None:
        """List a torrent at `type/id`; `text` is what people read, `hints` are behaviour hints."""
        stream: Json = {
            "name": f"{self.name}\n1080p",
            "title": text,
            "infoHash": torrent.infohash,
            "fileIdx": 0,
            "sources": [f"tracker:{tracker_url}", f"dht:{torrent.infohash}"],
            "behaviorHints": {"bingeGroup": f"{self.name.lower()}|1080p|WEB-DL", **hints},
        }
        self.streams.setdefault(place, []).append(stream)

    def app(self) -> Starlette:
        """The HTTP application."""
        return Starlette(
            routes=[
                Route(f"/{self.configuration}/manifest.json", self._manifest),
                Route(f"/{self.configuration}/stream/{{type}}/{{id}}.json", self._streams),
            ]
        )

    async def _manifest(self, _: Request) -> Response:
        manifest = {
            "id": "example.lamp-room",
            "version": "1.0.0",
            "name": self.name,
            "description": "Torrents of made-up films",
            "resources": list(self.resources),
            "types": list(self.types),
            "idPrefixes": list(self.id_prefixes),
            "catalogs": [],
            "behaviorHints": {"configurable": True},
        }
        return JSONResponse(manifest, headers=_CORS)

    async def _streams(self, request: Request) -> Response:
        place = f"{request.path_params['type']}/{request.path_params['id']}"
        # An id that an add-on does not know is answered with an empty list.
        return JSONResponse({"streams": self.streams.get(place, []), "cacheMaxAge": 3600}, headers=_CORS)
