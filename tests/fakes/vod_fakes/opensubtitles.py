"""A fake of the OpenSubtitles.com REST API, version 1 (https://opensubtitles.stoplight.io/docs/opensubtitles-api)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from vod_fakes.control import Control
from vod_fakes.shapes import Library, Subtitle
from vod_fakes.words import contains_all, words

Json = dict[str, Any]

_PAGE = 50
_LINK_LIFE = timedelta(hours=3)
_TOKEN = "demo.user.token"


@dataclass(slots=True)
class OpenSubtitles:
    """OpenSubtitles with our files. `url` is its base (with `/api/v1`) once it is served.

    `hashes` maps the moviehash of a video to its (tmdb id, season, episode); `remaining` is the download quota.
    """

    library: Library
    key: str
    username: str = "demo"
    password: str = "demo"
    control: Control = field(default_factory=Control)
    remaining: int = 100
    hashes: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    url: str = ""
    downloads: list[int] = field(default_factory=list)
    """The file ids that quota was spent on, oldest first."""
    _links: dict[str, tuple[Subtitle, datetime]] = field(default_factory=dict)

    def expire_links(self) -> None:
        """Make every link that was given out answer 410."""
        past = datetime.now(UTC) - timedelta(seconds=1)
        self._links = {token: (subtitle, past) for token, (subtitle, _) in self._links.items()}

    def app(self) -> Starlette:
        """The HTTP application."""
        return Starlette(
            routes=[
                Route("/api/v1/login", self._guarded(self._login), methods=["POST"]),
                Route("/api/v1/logout", self._guarded(self._logout), methods=["DELETE"]),
                Route("/api/v1/infos/user", self._guarded(self._user)),
                Route("/api/v1/infos/formats", self._guarded(self._formats)),
                Route("/api/v1/subtitles", self._guarded(self._search)),
                Route("/api/v1/download", self._guarded(self._download), methods=["POST"]),
                Route("/download/{token}/{name}", self._file),
            ]
        )

    def _guarded(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            if request.headers.get("api-key") != self.key:
                return JSONResponse({"message": "You cannot consume this service"}, 403)
            token = request.headers.get("authorization", f"Bearer {_TOKEN}")
            if token != f"Bearer {_TOKEN}":
                return JSONResponse({"message": "invalid token", "status": 401}, 401)
            return await answer(request)

        return endpoint

    async def _login(self, request: Request) -> Response:
        given = await _json_body(request)
        if (given.get("username"), given.get("password")) != (self.username, self.password):
            return JSONResponse({"message": "Error, invalid username/password", "status": 401}, 401)
        host = self.url.removesuffix("/api/v1").partition("://")[2]
        return JSONResponse({"user": self._account(), "base_url": host, "token": _TOKEN, "status": 200})

    async def _logout(self, _: Request) -> Response:
        return JSONResponse({"message": "token successfully destroyed", "status": 200})

    async def _user(self, _: Request) -> Response:
        used = {"downloads_count": len(self.downloads), "remaining_downloads": self.remaining}
        return JSONResponse({"data": {**self._account(), **used}})

    async def _formats(self, _: Request) -> Response:
        return JSONResponse({"data": {"output_formats": ["srt", "sub", "mpl", "webvtt", "dfxp", "txt"]}})

    def _account(self) -> Json:
        return {
            "allowed_translations": 1,
            "allowed_downloads": 100,
            "level": "Sub leecher",
            "user_id": 9001,
            "ext_installed": False,
            "vip": False,
        }

    async def _search(self, request: Request) -> Response:
        asked = request.query_params
        in_order = sorted((name, value.lower()) for name, value in asked.multi_items())
        if in_order != asked.multi_items():
            # the real one wants sorted, lower case parameters, so that its cache finds the answer
            return RedirectResponse(f"{self.url}/subtitles?{urlencode(in_order)}", 301)
        owner = self.hashes.get(asked.get("moviehash", ""))
        found = [s for s in self.library.subtitles if self._is_about(s, dict(asked)) or _owner(s) == owner]
        languages = asked.get("languages", "all").split(",")
        found = [s for s in found if s.language in languages or "all" in languages]
        found.sort(key=lambda s: (_owner(s) != owner, -s.downloads))
        page = int(asked.get("page", "1"))
        rows = [self._row(s, hashed="moviehash" in asked, owner=owner) for s in found]
        return JSONResponse(
            {
                "total_pages": max(1, -(-len(rows) // _PAGE)),
                "total_count": len(rows),
                "per_page": _PAGE,
                "page": page,
                "data": rows[(page - 1) * _PAGE : page * _PAGE],
            }
        )

    def _row(self, subtitle: Subtitle, *, hashed: bool, owner: tuple[int, int, int] | None) -> Json:
        attributes: Json = {
            "subtitle_id": str(subtitle.file_id - 90_000),
            "language": subtitle.language,
            "download_count": subtitle.downloads,
            "new_download_count": 0,
            "hearing_impaired": False,
            "hd": True,
            "fps": 0,
            "votes": 0,
            "ratings": 0,
            "from_trusted": subtitle.language == "en",
            "foreign_parts_only": False,
            "upload_date": "2024-04-01T12:00:00Z",
            "ai_translated": False,
            "machine_translated": False,
            "nb_cd": 1,
            "release": subtitle.release,
            "comments": "",
            "uploader": {"uploader_id": None, "name": "Anonymous", "rank": "anonymous"},
            "feature_details": self._feature(subtitle),
            "url": f"https://www.opensubtitles.example/subtitles/{subtitle.file_id}",
            "related_links": [],
            "files": [{"file_id": subtitle.file_id, "cd_number": 1, "file_name": subtitle.file_name}],
        }
        if hashed:
            attributes["moviehash_match"] = _owner(subtitle) == owner
        return {"id": str(subtitle.file_id - 90_000), "type": "subtitle", "attributes": attributes}

    def _feature(self, subtitle: Subtitle) -> Json:
        if not subtitle.season:
            film = next(f for f in self.library.films if f.tmdb_id == subtitle.tmdb_id)
            named = {"feature_type": "Movie", "year": film.released.year, "title": film.name, "tmdb_id": film.tmdb_id}
            return {"feature_id": film.tmdb_id, **named, "imdb_id": _number(film.imdb_id)}
        series = next(s for s in self.library.series if s.tmdb_id == subtitle.tmdb_id)
        episode = series.season(subtitle.season)[subtitle.episode - 1]
        return {
            "feature_id": episode.id,
            "feature_type": "Episode",
            "year": episode.air_date.year,
            "title": episode.name,
            "imdb_id": None,
            "tmdb_id": episode.id,
            "season_number": subtitle.season,
            "episode_number": subtitle.episode,
            "parent_title": series.name,
            "parent_imdb_id": _number(series.imdb_id),
            "parent_tmdb_id": series.tmdb_id,
        }

    def _is_about(self, subtitle: Subtitle, asked: Mapping[str, str]) -> bool:
        """Whether a search means this subtitle; one that names no title at all means none."""
        feature = self._feature(subtitle)
        named = [
            asked[name] == str(feature.get(name))
            for name in ("tmdb_id", "imdb_id", "parent_tmdb_id", "parent_imdb_id")
            if name in asked
        ]
        numbered = [
            asked[name] == str(feature.get(name)) for name in ("season_number", "episode_number") if name in asked
        ]
        text = words(asked.get("query", ""))
        if text and not named:
            named = [contains_all(text, f"{subtitle.release} {feature['title']}")]
        return bool(named) and all(named) and all(numbered)

    async def _download(self, request: Request) -> Response:
        file_id = (await _json_body(request)).get("file_id")
        subtitle = next((s for s in self.library.subtitles if str(s.file_id) == str(file_id)), None)
        if subtitle is None:
            return JSONResponse({"message": "Invalid file_id", "status": 406}, 406)
        reset = datetime.now(UTC) + timedelta(hours=20)
        quota: Json = {"requests": len(self.downloads) + 1, "remaining": self.remaining - 1}
        quota |= {"reset_time": "20 hours and 00 minutes", "reset_time_utc": reset.isoformat(timespec="milliseconds")}
        if self.remaining <= 0:
            text = "You have downloaded your allowed 100 subtitles for 24h. Your quota will be renewed in 20 hours."
            return JSONResponse({**quota, "remaining": -1, "message": text}, 406)
        self.remaining -= 1
        self.downloads.append(subtitle.file_id)
        token = f"{subtitle.file_id}-{len(self.downloads)}"
        self._links[token] = (subtitle, datetime.now(UTC) + _LINK_LIFE)
        link = f"{self.url.removesuffix('/api/v1')}/download/{token}/subfile"
        text = f"Your quota will be renewed in 20 hours ({reset:%Y-%m-%d %H:%M:%S} UTC)"
        return JSONResponse({"link": link, "file_name": subtitle.file_name, "message": text, **quota})

    async def _file(self, request: Request) -> Response:
        subtitle, until = self._links.get(request.path_params["token"], (None, datetime.now(UTC)))
        if subtitle is None:
            return Response(status_code=404)
        if until < datetime.now(UTC):
            return Response("Link expired", 410)
        return Response(subtitle.srt(), media_type="application/octet-stream")


async def _json_body(request: Request) -> Json:
    try:
        body = json.loads(await request.body())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _owner(subtitle: Subtitle) -> tuple[int, int, int]:
    return subtitle.tmdb_id, subtitle.season, subtitle.episode


def _number(imdb_id: str) -> int:
    return int(imdb_id.removeprefix("tt"))
