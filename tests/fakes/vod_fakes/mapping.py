"""A fake of the two files that map anime: Anime-Lists' XML and Kometa's table of ids."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import quoteattr

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vod_fakes.control import Control

Span = Mapping[str, str | int]
"""The attributes of a `<mapping>`; `pairs` becomes its text."""


@dataclass(frozen=True, slots=True)
class Row:
    """One AniDB entry: `tmdb` and `tvdb` are (show, season, offset), as the XML writes them."""

    anidb: int
    mal: str
    tmdb: tuple[str, str, str] = ("", "", "")
    tvdb: tuple[str, str, str] = ("", "", "")
    films: str = ""
    imdb: str = ""
    spans: Sequence[Span] = ()


@dataclass(slots=True)
class MappingFiles:
    """Both files, written from rows. `url` is their base once they are served."""

    rows: Sequence[Row] = ()
    control: Control = field(default_factory=Control)
    url: str = ""

    def app(self) -> Starlette:
        """The HTTP application."""
        return Starlette(routes=[Route("/lists.xml", self._lists), Route("/ids.json", self._ids)])

    async def _lists(self, _: Request) -> Response:
        entries = "".join(_entry(row) for row in self.rows)
        return Response(f'<?xml version="1.0" encoding="utf-8"?><anime-list>{entries}</anime-list>')

    async def _ids(self, _: Request) -> Response:
        table = {str(row.anidb): _ids_of(row) for row in self.rows}
        return Response(json.dumps(table), media_type="text/plain")


def _entry(row: Row) -> str:
    attributes = {
        "anidbid": str(row.anidb),
        **dict(zip(("tvdbid", "defaulttvdbseason", "episodeoffset"), row.tvdb, strict=True)),
        **dict(zip(("tmdbtv", "tmdbseason", "tmdboffset"), row.tmdb, strict=True)),
        "tmdbid": row.films,
        "imdbid": row.imdb,
    }
    written = " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items())
    spans = "".join(_span(span) for span in row.spans)
    return f"<anime {written}><name>{row.anidb}</name><mapping-list>{spans}</mapping-list></anime>"


def _span(span: Span) -> str:
    written = " ".join(f"{name}={quoteattr(str(value))}" for name, value in span.items() if name != "pairs")
    return f"<mapping {written}>{span.get('pairs', '')}</mapping>"


def _ids_of(row: Row) -> dict[str, Any]:
    if not row.mal:
        return {}
    return {"mal_id": row.mal if "," in row.mal else int(row.mal)}
