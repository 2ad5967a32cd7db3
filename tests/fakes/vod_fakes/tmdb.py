"""A fake of the TMDb API, version 3 (https://developer.themoviedb.org/reference), as far as a catalog needs it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vod_fakes.control import Control
from vod_fakes.shapes import Episode, Film, Library, Series
from vod_fakes.words import begin_alike, words

Json = dict[str, Any]

_PAGE = 20
_APPENDABLE = 20
_NOT_FOUND = {
    "success": False,
    "status_code": 34,
    "status_message": "The resource you requested could not be found.",
}
_BAD_KEY = {
    "success": False,
    "status_code": 7,
    "status_message": "Invalid API key: You must be granted a valid key.",
}


@dataclass(slots=True)
class Tmdb:
    """TMDb with our titles. `url` is its base (with `/3`) once it is served; `library` may be exchanged."""

    library: Library
    key: str
    control: Control = field(default_factory=Control)
    url: str = ""
    changed: Sequence[tuple[str, int]] = ()
    """Kind (`tv`, `movie`) and id of what changed lately."""

    def app(self) -> Starlette:
        """The HTTP application."""
        routes = {
            "/3/configuration": lambda _: _CONFIGURATION,
            "/3/search/multi": self._search,
            "/3/trending/{kind}/{window}": self._trending,
            "/3/find/{external}": self._find,
            "/3/{kind}/changes": self._changes,
            "/3/tv/{id:int}": self._tv,
            "/3/tv/{id:int}/season/{season:int}": self._season,
            "/3/tv/{id:int}/{part}": self._tv_part,
            "/3/movie/{id:int}": self._movie,
            "/3/movie/{id:int}/{part}": self._movie_part,
            "/3/{anything:path}": lambda _: None,
        }
        return Starlette(routes=[Route(path, self._guarded(answer)) for path, answer in routes.items()])

    def _guarded(self, answer: Callable[[Request], Json | None]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
            if self.key not in (request.query_params.get("api_key"), bearer):
                return JSONResponse(_BAD_KEY, 401)
            body = answer(request)
            return JSONResponse(_NOT_FOUND, 404) if body is None else JSONResponse(body)

        return endpoint

    def _series(self, request: Request) -> Series | None:
        return next((s for s in self.library.series if s.tmdb_id == request.path_params["id"]), None)

    def _film(self, request: Request) -> Film | None:
        return next((f for f in self.library.films if f.tmdb_id == request.path_params["id"]), None)

    def _tv(self, request: Request) -> Json | None:
        series = self._series(request)
        if series is None:
            return None
        body = _tv_body(series)
        for part in _appended(request):
            extra = _tv_extra(series, part)
            if extra is not None:
                body[part] = extra
        return body

    def _tv_part(self, request: Request) -> Json | None:
        series = self._series(request)
        part = request.path_params["part"]
        extra = _tv_extra(series, part) if series and not part.startswith("season/") else None
        return extra if extra is None or series is None else {"id": series.tmdb_id, **extra}

    def _season(self, request: Request) -> Json | None:
        series = self._series(request)
        return _season_body(series, request.path_params["season"]) if series else None

    def _movie(self, request: Request) -> Json | None:
        film = self._film(request)
        if film is None:
            return None
        body = _movie_body(film)
        for part in _appended(request):
            extra = _movie_extra(film, part)
            if extra is not None:
                body[part] = extra
        return body

    def _movie_part(self, request: Request) -> Json | None:
        film = self._film(request)
        extra = _movie_extra(film, request.path_params["part"]) if film else None
        return extra if extra is None or film is None else {"id": film.tmdb_id, **extra}

    def _search(self, request: Request) -> Json:
        asked = words(request.query_params.get("query", ""))
        found: list[Json] = []
        if asked:
            found += [_tv_row(s) for s in self.library.series if _titled(s.name, s.aliases, asked)]
            found += [_movie_row(f) for f in self.library.films if _titled(f.name, f.aliases, asked)]
        return _paged(found, request)

    def _trending(self, request: Request) -> Json | None:
        kind = request.path_params["kind"]
        if kind not in ("all", "tv", "movie") or request.path_params["window"] not in ("day", "week"):
            return None
        rows = [_tv_row(s) for s in self.library.series if kind != "movie"]
        rows += [_movie_row(f) for f in self.library.films if kind != "tv"]
        if kind == "all":
            # people trend as well, and a client has to leave them out
            rows.append({"id": 9901, "media_type": "person", "name": "Ida Sund", "popularity": 12.0, "adult": False})
        return _paged(sorted(rows, key=lambda row: -float(row["popularity"])), request)

    def _changes(self, request: Request) -> Json | None:
        if request.path_params["kind"] not in ("tv", "movie"):
            return None
        ids = [number for kind, number in self.changed if kind == request.path_params["kind"]]
        # Some entries say nothing but that something changed.
        return _paged([{"id": number, "adult": None} for number in ids], request)

    def _find(self, request: Request) -> Json:
        external, source = request.path_params["external"], request.query_params.get("external_source")
        series = [s for s in self.library.series if external in _ids_from(source, s.imdb_id, s.tvdb_id)]
        films = [f for f in self.library.films if external in _ids_from(source, f.imdb_id, 0)]
        return {
            "movie_results": [_movie_row(f) for f in films],
            "tv_results": [_tv_row(s) for s in series],
            "person_results": [],
            "tv_episode_results": [],
            "tv_season_results": [],
        }


def _ids_from(source: str | None, imdb_id: str, tvdb_id: int) -> tuple[str, ...]:
    return {"imdb_id": (imdb_id,), "tvdb_id": (str(tvdb_id),) if tvdb_id else ()}.get(source or "", ())


def _titled(name: str, aliases: tuple[tuple[str, str], ...], asked: list[str]) -> bool:
    return any(begin_alike(asked, title) for title in (name, *(alias for _, alias in aliases)))


def _appended(request: Request) -> list[str]:
    parts = request.query_params.get("append_to_response", "")
    return [part for part in parts.split(",") if part][:_APPENDABLE]


def _paged(rows: list[Json], request: Request) -> Json:
    page = int(request.query_params.get("page", "1"))
    return {
        "page": page,
        "results": rows[(page - 1) * _PAGE : page * _PAGE],
        "total_pages": (len(rows) + _PAGE - 1) // _PAGE,
        "total_results": len(rows),
    }


def _tv_row(series: Series) -> Json:
    return {
        "adult": False,
        "backdrop_path": None,
        "genre_ids": [18],
        "id": series.tmdb_id,
        "media_type": "tv",
        "name": series.name,
        "original_name": series.name,
        "original_language": "en",
        "origin_country": [series.country],
        "overview": series.overview,
        "popularity": series.popularity,
        "poster_path": None,
        "first_air_date": series.episodes[0].air_date.isoformat(),
        "vote_average": 7.9,
        "vote_count": 214,
    }


def _movie_row(film: Film) -> Json:
    return {
        "adult": False,
        "backdrop_path": None,
        "genre_ids": [18],
        "id": film.tmdb_id,
        "media_type": "movie",
        "title": film.name,
        "original_title": film.name,
        "original_language": "en",
        "overview": film.overview,
        "popularity": film.popularity,
        "poster_path": None,
        "release_date": film.released.isoformat(),
        "video": False,
        "vote_average": 7.4,
        "vote_count": 167,
    }


def _episode(series: Series, episode: Episode) -> Json:
    last = episode == series.season(episode.season)[-1]
    return {
        "air_date": episode.air_date.isoformat(),
        "episode_number": episode.number,
        "episode_type": "finale" if last else "standard",
        "id": episode.id,
        "name": episode.name,
        "overview": episode.overview,
        "production_code": "",
        "runtime": 1,
        "season_number": episode.season,
        "show_id": series.tmdb_id,
        "still_path": None,
        "vote_average": 8.0,
        "vote_count": 31,
    }


def _season_id(series: Series, number: int) -> int:
    return series.tmdb_id * 10 + number


def _season_body(series: Series, number: int) -> Json | None:
    episodes = series.season(number)
    if not episodes:
        return None
    return {
        "_id": f"{_season_id(series, number):024x}",
        "air_date": episodes[0].air_date.isoformat(),
        "episodes": [{**_episode(series, e), "crew": [], "guest_stars": []} for e in episodes],
        "name": f"Season {number}",
        "overview": "",
        "id": _season_id(series, number),
        "poster_path": None,
        "season_number": number,
        "vote_average": 8.0,
    }


def _season_row(series: Series, number: int) -> Json:
    episodes = series.season(number)
    return {
        "air_date": episodes[0].air_date.isoformat(),
        "episode_count": len(episodes),
        "id": _season_id(series, number),
        "name": f"Season {number}",
        "overview": "",
        "poster_path": None,
        "season_number": number,
        "vote_average": 8.0,
    }


def _tv_body(series: Series) -> Json:
    last = series.episodes[-1]
    return {
        **{k: v for k, v in _tv_row(series).items() if k not in ("genre_ids", "media_type")},
        "created_by": [],
        "episode_run_time": [],
        "genres": [{"id": 18, "name": "Drama"}],
        "homepage": "",
        "in_production": False,
        "languages": ["en"],
        "last_air_date": last.air_date.isoformat(),
        "last_episode_to_air": _episode(series, last),
        "next_episode_to_air": None,
        "networks": [],
        "number_of_episodes": len(series.episodes),
        "number_of_seasons": len(series.seasons),
        "production_companies": [],
        "production_countries": [{"iso_3166_1": series.country, "name": series.country}],
        "seasons": [_season_row(series, number) for number in series.seasons],
        "spoken_languages": [{"english_name": "English", "iso_639_1": "en", "name": "English"}],
        "status": "Ended",
        "tagline": "",
        "type": "Scripted",
    }


def _movie_body(film: Film) -> Json:
    return {
        **{k: v for k, v in _movie_row(film).items() if k not in ("genre_ids", "media_type")},
        "belongs_to_collection": None,
        "budget": 0,
        "genres": [{"id": 18, "name": "Drama"}],
        "homepage": "",
        "imdb_id": film.imdb_id,
        "origin_country": ["US"],
        "production_companies": [],
        "production_countries": [{"iso_3166_1": "US", "name": "United States of America"}],
        "revenue": 0,
        "runtime": 1,
        "spoken_languages": [{"english_name": "English", "iso_639_1": "en", "name": "English"}],
        "status": "Released",
        "tagline": "",
    }


def _titles(aliases: tuple[tuple[str, str], ...]) -> list[Json]:
    return [{"iso_3166_1": country, "title": title, "type": ""} for country, title in aliases]


_NO_IMAGES: Json = {"backdrops": [], "logos": [], "posters": []}


def _tv_extra(series: Series, part: str) -> Json | None:
    """What `append_to_response` and the sub-paths of a series give."""
    if part.startswith("season/") and part.removeprefix("season/").isdigit():
        return _season_body(series, int(part.removeprefix("season/")))
    network_ids = {"freebase_mid": None, "freebase_id": None, "tvrage_id": None, "wikidata_id": None}
    social_ids = {"facebook_id": None, "instagram_id": None, "twitter_id": None}
    extras: Json = {
        "external_ids": {"imdb_id": series.imdb_id, "tvdb_id": series.tvdb_id, **network_ids, **social_ids},
        "alternative_titles": {"results": _titles(series.aliases)},
        "content_ratings": {"results": [{"descriptors": [], "iso_3166_1": "US", "rating": "TV-PG"}]},
        "translations": {"translations": [_translation(series.name, series.overview, "name")]},
        "episode_groups": {"results": []},
        "images": _NO_IMAGES,
    }
    found: Json | None = extras.get(part)
    return found


def _movie_extra(film: Film, part: str) -> Json | None:
    """What `append_to_response` and the sub-paths of a film give."""
    social_ids = {"wikidata_id": None, "facebook_id": None, "instagram_id": None, "twitter_id": None}
    extras: Json = {
        "external_ids": {"imdb_id": film.imdb_id, **social_ids},
        "alternative_titles": {"titles": _titles(film.aliases)},
        "release_dates": {"results": [_released(film.released)]},
        "translations": {"translations": [_translation(film.name, film.overview, "title")]},
        "images": _NO_IMAGES,
    }
    found: Json | None = extras.get(part)
    return found


def _released(day: date) -> Json:
    release = {"certification": "PG", "descriptors": [], "iso_639_1": "", "note": "", "type": 3}
    return {"iso_3166_1": "US", "release_dates": [{**release, "release_date": f"{day.isoformat()}T00:00:00.000Z"}]}


def _translation(title: str, overview: str, key: str) -> Json:
    data = {key: title, "overview": overview, "homepage": "", "tagline": ""}
    return {"iso_3166_1": "US", "iso_639_1": "en", "name": "English", "english_name": "English", "data": data}


_CONFIGURATION: Json = {
    "images": {
        "base_url": "http://image.tmdb.org/t/p/",
        "secure_base_url": "https://image.tmdb.org/t/p/",
        "backdrop_sizes": ["w300", "w780", "w1280", "original"],
        "logo_sizes": ["w45", "w92", "w154", "w185", "w300", "w500", "original"],
        "poster_sizes": ["w92", "w154", "w185", "w342", "w500", "w780", "original"],
        "profile_sizes": ["w45", "w185", "h632", "original"],
        "still_sizes": ["w92", "w185", "w300", "original"],
    },
    "change_keys": ["episode", "season", "title", "videos"],
}
