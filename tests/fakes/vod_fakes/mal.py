"""A fake of MyAnimeList's own API v2, as far as it can be read without a user."""

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
_ALWAYS = ("id", "title", "main_picture")


@dataclass(slots=True)
class Mal:
    """MyAnimeList with our anime. `url` is its base (with `/v2`) once it is served.

    What an application does not name in `fields` it does not get; one without a client id is refused.
    """

    library: Library
    client_id: str
    control: Control = field(default_factory=Control)
    airing: frozenset[int] = frozenset()
    url: str = ""

    def app(self) -> Starlette:
        """The HTTP application."""
        routes = {
            "/v2/anime": self._search,
            "/v2/anime/ranking": self._ranking,
            "/v2/anime/{id:int}": self._anime,
            "/v2/{anything:path}": lambda _: None,
        }
        return Starlette(routes=[Route(path, self._guarded(answer)) for path, answer in routes.items()])

    def _guarded(self, answer: Callable[[Request], Json | None]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            if request.headers.get("x-mal-client-id") != self.client_id:
                return JSONResponse({"message": "", "error": "forbidden"}, 403)
            body = answer(request)
            return JSONResponse({"message": "", "error": "not_found"}, 404) if body is None else JSONResponse(body)

        return endpoint

    def _anime(self, request: Request) -> Json | None:
        anime = next((one for one in self.library.anime if one.mal_id == request.path_params["id"]), None)
        return self._node(anime, request, alone=True) if anime else None

    def _search(self, request: Request) -> Json:
        asked = words(request.query_params.get("q", ""))
        found = [one for one in self.library.anime if begin_alike(asked, one.name) or begin_alike(asked, one.japanese)]
        return self._page(found, request)

    def _ranking(self, request: Request) -> Json:
        return self._page(list(self.library.anime), request)

    def _page(self, found: list[Anime], request: Request) -> Json:
        limit = min(100, int(request.query_params.get("limit", "100")))
        rows = [{"node": self._node(one, request, alone=False)} for one in found[:limit]]
        return {"data": rows, "paging": {}}

    def _node(self, anime: Anime, request: Request, *, alone: bool) -> Json:
        is_airing = anime.mal_id in self.airing
        related = [("prequel", anime.prequel), ("sequel", anime.sequel)]
        whole = {
            "id": anime.mal_id,
            "title": anime.name,
            "main_picture": None,
            "alternative_titles": {"synonyms": [], "en": anime.name, "ja": anime.japanese},
            "start_date": anime.episodes[0].air_date.isoformat(),
            "nsfw": "white",
            "synopsis": anime.synopsis,
            # 0 stands for unknown.
            "num_episodes": 0 if is_airing else len(anime.episodes),
            "media_type": "tv",
            "status": "currently_airing" if is_airing else "finished_airing",
            "average_episode_duration": 60,
            "genres": [{"id": 10, "name": "Fantasy"}],
            "related_anime": [
                {"node": {"id": number, "title": "?"}, "relation_type": kind} for kind, number in related if number
            ],
        }
        wanted = {*_ALWAYS, *request.query_params.get("fields", "").split(",")}
        # Lists never tell what is related.
        return {name: value for name, value in whole.items() if name in wanted and (alone or name != "related_anime")}
