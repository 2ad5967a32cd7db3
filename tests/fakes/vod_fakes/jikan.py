"""A fake of Jikan v4, the unofficial MyAnimeList API (https://docs.api.jikan.moe/)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vod_fakes.control import Control
from vod_fakes.shapes import Anime, Library
from vod_fakes.words import begin_alike, words

Json = dict[str, Any]

_NOT_FOUND = {
    "status": 404,
    "type": "BadResponseException",
    "message": "Resource does not exist",
    "error": "404 on https://myanimelist.net/anime/",
}
_MOST_PER_PAGE = 25
_NO_IMAGES = {kind: {"image_url": None, "small_image_url": None, "large_image_url": None} for kind in ("jpg", "webp")}


@dataclass(slots=True)
class Jikan:
    """Jikan with our anime. `url` is its base (with `/v4`) once it is served.

    `episodes_per_page` is 100 at the real one; a test may lower it to see paging.
    """

    library: Library
    control: Control = field(default_factory=Control)
    episodes_per_page: int = 100
    url: str = ""

    def app(self) -> Starlette:
        """The HTTP application."""
        routes: dict[str, Callable[[Request], Json | None]] = {
            "/v4/anime": self._search,
            "/v4/top/anime": self._top,
            "/v4/seasons/now": self._top,
            "/v4/anime/{id:int}": self._anime,
            "/v4/anime/{id:int}/full": self._full,
            "/v4/anime/{id:int}/episodes": self._episodes,
            "/v4/anime/{id:int}/episodes/{episode:int}": self._episode,
            "/v4/anime/{id:int}/relations": self._relations,
            "/v4/{anything:path}": lambda _: None,
        }
        return Starlette(routes=[Route(path, _endpoint(answer)) for path, answer in routes.items()])

    def _find(self, mal_id: int) -> Anime | None:
        return next((a for a in self.library.anime if a.mal_id == mal_id), None)

    def _asked(self, request: Request) -> Anime | None:
        return self._find(request.path_params["id"])

    def _anime(self, request: Request) -> Json | None:
        anime = self._asked(request)
        return {"data": _body(anime)} if anime else None

    def _full(self, request: Request) -> Json | None:
        anime = self._asked(request)
        if anime is None:
            return None
        more = {"relations": self._related(anime), "theme": {"openings": [], "endings": []}}
        return {"data": {**_body(anime), **more, "external": [], "streaming": []}}

    def _relations(self, request: Request) -> Json | None:
        anime = self._asked(request)
        return {"data": self._related(anime)} if anime else None

    def _related(self, anime: Anime) -> list[Json]:
        others = [("Prequel", self._find(anime.prequel)), ("Sequel", self._find(anime.sequel))]
        return [
            {"relation": relation, "entry": [{"mal_id": a.mal_id, "type": "anime", "name": a.name, "url": _url(a)}]}
            for relation, a in others
            if a is not None
        ]

    def _episodes(self, request: Request) -> Json | None:
        anime = self._asked(request)
        if anime is None:
            return None
        rows = [_episode_body(anime, number) for number in range(1, len(anime.episodes) + 1)]
        page, size = int(request.query_params.get("page", "1")), self.episodes_per_page
        last = max(1, -(-len(rows) // size))
        pagination = {"last_visible_page": last, "has_next_page": page < last}
        return {"pagination": pagination, "data": rows[(page - 1) * size : page * size]}

    def _episode(self, request: Request) -> Json | None:
        anime, number = self._asked(request), request.path_params["episode"]
        if anime is None or not 1 <= number <= len(anime.episodes):
            return None
        return {"data": {**_episode_body(anime, number), "duration": 60, "synopsis": None}}

    def _search(self, request: Request) -> Json:
        asked = words(request.query_params.get("q", ""))
        found = [a for a in self.library.anime if begin_alike(asked, a.name) or begin_alike(asked, a.japanese)]
        return _page_of(found, request)

    def _top(self, request: Request) -> Json:
        return _page_of(list(self.library.anime), request)


def _endpoint(answer: Callable[[Request], Json | None]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        body = answer(request)
        return JSONResponse(_NOT_FOUND, 404) if body is None else JSONResponse(body)

    return endpoint


def _page_of(found: list[Anime], request: Request) -> Json:
    page = int(request.query_params.get("page", "1"))
    size = min(_MOST_PER_PAGE, int(request.query_params.get("limit", _MOST_PER_PAGE)))
    rows = [_body(anime) for anime in found][(page - 1) * size : page * size]
    last = max(1, -(-len(found) // size))
    return {
        "pagination": {
            "last_visible_page": last,
            "has_next_page": page < last,
            "current_page": page,
            "items": {"count": len(rows), "total": len(found), "per_page": size},
        },
        "data": rows,
    }


def _url(anime: Anime) -> str:
    return f"https://myanimelist.net/anime/{anime.mal_id}"


def _body(anime: Anime) -> Json:
    first, last = anime.episodes[0].air_date, anime.episodes[-1].air_date
    return {
        "mal_id": anime.mal_id,
        "url": _url(anime),
        "images": _NO_IMAGES,
        "trailer": {"youtube_id": None, "url": None, "embed_url": None},
        "approved": True,
        "titles": [
            {"type": "Default", "title": anime.name},
            {"type": "Japanese", "title": anime.japanese},
            {"type": "English", "title": anime.name},
        ],
        "title": anime.name,
        "title_english": anime.name,
        "title_japanese": anime.japanese,
        "title_synonyms": [],
        "type": "TV",
        "source": "Original",
        "episodes": len(anime.episodes),
        "status": "Finished Airing",
        "airing": False,
        "aired": {"from": f"{first}T00:00:00+00:00", "to": f"{last}T00:00:00+00:00"},
        "duration": "1 min per ep",
        "rating": "PG-13 - Teens 13 or older",
        "score": 8.1,
        "scored_by": 1204,
        "rank": 312,
        "popularity": 901,
        "members": 20417,
        "favorites": 133,
        "synopsis": anime.synopsis,
        "background": None,
        "season": anime.season,
        "year": first.year,
        "broadcast": {"day": "Saturdays", "time": "23:00", "timezone": "Asia/Tokyo", "string": "Saturdays at 23:00"},
        "producers": [],
        "licensors": [],
        "studios": [],
        "genres": [{"mal_id": 10, "type": "anime", "name": "Fantasy", "url": "https://myanimelist.net/anime/genre/10"}],
        "explicit_genres": [],
        "themes": [],
        "demographics": [],
    }


def _episode_body(anime: Anime, number: int) -> Json:
    episode = anime.episodes[number - 1]
    return {
        "mal_id": number,
        "url": None,
        "title": episode.name,
        "title_japanese": None,
        "title_romanji": None,
        "aired": f"{episode.air_date}T00:00:00+00:00",
        "score": None,
        "filler": False,
        "recap": False,
        "forum_url": None,
    }
