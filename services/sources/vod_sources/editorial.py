"""Curated collections: films that an editor vouches for, and where they lie. They come before all other sources."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vod_sources.archive import InternetArchive
from vod_sources.domain import Content, Kind, StreamSource
from vod_sources.guard import UnwellError
from vod_sources.reading import number, record, records, source_of, text

SHIPPED = Path(__file__).parent / "data" / "editorial.toml"


@dataclass(frozen=True, slots=True)
class Film:
    """A film of a collection, the ids that it is known by, and where its bytes are."""

    ids: tuple[str, ...]
    title: str
    year: int
    licence: str
    archive_item: str
    sources: tuple[StreamSource, ...]

    def is_meant_by(self, content: Content) -> bool:
        """Tell whether this is the film that is looked for, under any of its ids."""
        if content.kind is not Kind.MOVIE:
            return False
        names = {content.series_id, *(f"{site}:{id_}" for site, id_ in content.external_ids.items())}
        return not names.isdisjoint(self.ids)


@dataclass(frozen=True, slots=True)
class Collection:
    """Films under a name, in the editor's order."""

    name: str
    films: tuple[Film, ...]


class Editorial:
    """The curated collections, read from a TOML file each time, so that edits count at once."""

    name = "editorial"

    def __init__(self, path: Path, archive: InternetArchive | None) -> None:
        self._path = path
        self._archive = archive

    async def find(self, content: Content) -> Sequence[StreamSource]:
        """Return the sources of the film that is meant, in the editor's order. Raises UnwellError, SourceRefused."""
        for collection in self.collections():
            for film in collection.films:
                if film.is_meant_by(content):
                    return [replace(one, collection=collection.name) for one in await self._sources(film)]
        return []

    def collections(self) -> list[Collection]:
        """Return all collections. Raises UnwellError, with a sentence that says what is wrong in the file."""
        try:
            return read_collections(self._path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UnwellError(problem=f"The collections {self._path} can't be read: {error.strerror}.") from error
        except ValueError as error:
            raise UnwellError(problem=f"The collections {self._path} are wrong: {error}") from error

    async def _sources(self, film: Film) -> list[StreamSource]:
        found = list(film.sources)
        if film.archive_item and self._archive:
            found += await self._archive.item(film.archive_item)
        return found


def read_collections(written: str) -> list[Collection]:
    """Return the collections of a TOML text.

    Raises:
        ValueError: a sentence that says where the text is wrong.
    """
    return [
        Collection(
            _needed(one, "name", f"collection {place}"),
            tuple(_film(film, text(one.get("name"))) for film in records(one.get("film"))),
        )
        for place, one in enumerate(records(tomllib.loads(written).get("collection")), 1)
    ]


def _film(one: Mapping[str, Any], collection: str) -> Film:
    title = _needed(one, "title", f"a film of {collection!r}")
    ids = one.get("ids")
    known = tuple(id_ for id_ in ids if isinstance(id_, str)) if isinstance(ids, list) else ()
    if not known:
        raise ValueError(f'{title!r} needs `ids`, such as ["imdb:tt1727587", "ia:item:Sintel"].')
    sources = tuple(_source(source, title) for source in records(one.get("source")))
    item = text(one.get("archive"))
    if not sources and not item:
        raise ValueError(f"{title!r} needs an `archive` item or a `[[collection.film.source]]`.")
    return Film(known, title, number(one.get("year")) or 0, text(one.get("licence")), item, sources)


def _source(one: Mapping[str, Any], title: str) -> StreamSource:
    found = source_of(
        one.get("url"),
        one.get("quality"),
        provider=Editorial.name,
        type_=one.get("type"),
        headers=record(one.get("headers")),
    )
    if found is None:
        raise ValueError(f"a source of {title!r} has no http(s) `url`.")
    return found


def _needed(one: Mapping[str, Any], name: str, where: str) -> str:
    found = text(one.get(name))
    if not found:
        raise ValueError(f"{where} needs a `{name}`.")
    return found
