"""A fake of the Internet Archive: search, metadata, and downloads that redirect to a data node, as the real ones do.

Its torrents live from web seeds alone, as the real ones do: no tracker knows a peer of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from vod_fakes.control import Control
from vod_fakes.pictures import dot
from vod_fakes.torrents import Torrent, make_torrent

_THUMBNAIL = "__ia_thumb.png"


@dataclass(frozen=True, slots=True)
class Item:
    """One item; its films are files on disk, by the name they have there."""

    identifier: str
    title: str
    year: str = "2010"
    licence: str | None = "https://creativecommons.org/licenses/by/4.0/"
    is_dark: bool = False
    week: int = 3
    """How often it was watched this week."""
    infohash: str = "a" * 40
    films: dict[str, Path] = field(default_factory=dict)
    torrent: Torrent | None = None
    """Of all its films; else `infohash` is that of a torrent that nobody has."""


def with_torrent(item: Item, scratch: Path) -> Item:
    """Return the item with a torrent of its films, named like the item; blocks while they are hashed."""
    for name, film in item.films.items():
        link = scratch / item.identifier / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(film)
    torrent = make_torrent(item.identifier, [f"{item.identifier}/{name}" for name in item.films], scratch)
    return replace(item, torrent=torrent, infohash=torrent.infohash)


@dataclass(slots=True)
class InternetArchive:
    """The Archive with our items. `url` is its base once it is served."""

    items: Sequence[Item] = ()
    broken: set[str] = field(default_factory=set)
    """Items whose films can't be downloaded at the Archive's door; their .torrents can, and web seeds serve them."""
    web_seeds: Sequence[str] = ("{url}/seeds/",)
    """What the .torrents name."""
    control: Control = field(default_factory=Control)
    url: str = ""

    def app(self) -> Starlette:
        """The HTTP application."""
        return Starlette(
            routes=[
                Route("/advancedsearch.php", self._search),
                Route("/metadata/{item}", self._metadata),
                Route("/download/{item}/{name:path}", self._download),
                Route("/services/img/{item}", self._thumbnail),
                Route("/node/items/{item}/{name:path}", self._node),
                Route("/seeds/{item}/{name:path}", self._node),
            ]
        )

    def _find(self, request: Request) -> Item | None:
        return next((one for one in self.items if one.identifier == request.path_params["item"]), None)

    async def _search(self, request: Request) -> Response:
        wanted = request.query_params.get("q", "")
        names = {one.removeprefix("identifier:") for one in wanted.split(" OR ")}
        found = [one for one in self.items if one.identifier in names and not one.is_dark]
        docs = [{**_fields(one), "week": one.week} for one in sorted(found, key=lambda one: -one.week)]
        page = docs[: int(request.query_params.get("rows", 50))]
        return JSONResponse({"responseHeader": {"status": 0}, "response": {"numFound": len(docs), "docs": page}})

    async def _metadata(self, request: Request) -> Response:
        item = self._find(request)
        # An unknown item is answered with 200 and {}.
        return JSONResponse(_metadata_body(item) if item else {})

    async def _download(self, request: Request) -> Response:
        item = self._find(request)
        if item and item.identifier in self.broken and request.path_params["name"] in item.films:
            return Response(status_code=503)
        return RedirectResponse(f"{self.url}/node/items/{request.path_params['item']}/{request.path_params['name']}")

    async def _thumbnail(self, request: Request) -> Response:
        return RedirectResponse(f"{self.url}/node/items/{request.path_params['item']}/{_THUMBNAIL}")

    async def _node(self, request: Request) -> Response:
        item = self._find(request)
        name = request.path_params["name"]
        if item and name == _THUMBNAIL:
            return Response(dot((40, 70, 110)), media_type="image/png")
        if item and item.torrent and name == _torrent_name(item):
            return Response(item.torrent.web_seeded(*(one.format(url=self.url) for one in self.web_seeds)))
        film = item.films.get(name) if item else None
        return FileResponse(film, media_type="video/mp4") if film else Response(status_code=404)


def _torrent_name(item: Item) -> str:
    return f"{item.identifier}_archive.torrent"


def _fields(item: Item) -> dict[str, Any]:
    fields: dict[str, Any] = {"identifier": item.identifier, "title": item.title, "year": item.year}
    return fields | ({"licenseurl": item.licence} if item.licence else {})


def _metadata_body(item: Item) -> dict[str, Any]:
    films = [
        {
            "name": name,
            "source": "original",
            "format": "MPEG4",
            "size": str(path.stat().st_size),
            "length": "60.0",
            "width": "1280",
            "height": "720",
        }
        for name, path in item.films.items()
    ]
    torrent = {
        "name": _torrent_name(item),
        "source": "metadata",
        "format": "Archive BitTorrent",
        "btih": item.infohash,
        "size": "4096",
    }
    body: dict[str, Any] = {
        "created": 1760000000,
        "files": [*films, torrent],
        "metadata": {**_fields(item), "mediatype": "movies", "description": "<b>Made up</b> for tests"},
    }
    return body | ({"is_dark": True} if item.is_dark else {})
