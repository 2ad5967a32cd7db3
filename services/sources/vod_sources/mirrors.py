"""The operator's own list of addresses: a JSON file, or a folder of `.strm` files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from vod_sources.domain import Content, StreamSource
from vod_sources.guard import UnwellError
from vod_sources.reading import number, records, source_of, text

_MAGNET = "magnet:"


class Mirrors:
    """A JSON file, or a folder of `{seriesId}.strm` and `{seriesId} S01E02.strm` files.

    Colons of ids are written `_` in names of files. A file has one address per line; as in Kodi, headers may follow it
    behind a bar: `https://cdn.example/a.m3u8|Referer=https%3A%2F%2Fplayer.example%2F`. Magnets are left to the
    search of this system, which reads the same list.
    """

    name = "mirror"

    def __init__(self, path: Path) -> None:
        self._path = path

    async def find(self, content: Content) -> Sequence[StreamSource]:
        """Return what the list has; it is read anew each time, so that edits count at once."""
        try:
            return self._from_folder(content) if self._path.is_dir() else self._from_file(content)
        except OSError as error:
            raise UnwellError(problem=f"The mirror list {self._path} can't be read: {error.strerror}.") from error

    def _from_folder(self, content: Content) -> list[StreamSource]:
        names: list[str] = []
        for one in content.names:
            title = one.series_id.replace(":", "_")
            names.append(f"{title} S{one.season:02}E{one.episode:02}.strm")
            names += [f"{title}.strm"] if (one.season, one.episode) == (1, 1) else []
        files = [file for one in names if (file := self._path / one).is_file()]
        return [source for file in files for source in self._lines(file)]

    def _lines(self, file: Path) -> list[StreamSource]:
        found: list[StreamSource | None] = []
        wrong = ""
        for count, line in enumerate(file.read_text(encoding="utf-8-sig", errors="replace").splitlines(), 1):
            if not line.strip() or line.lstrip().startswith(("#", _MAGNET)):
                continue
            address, _, headers = line.strip().partition("|")
            one = source_of(address, "", provider=self.name, headers=dict(parse_qsl(headers)))
            wrong = wrong or ("" if one else f"{file}, line {count}: this is no http(s) address.")
            found.append(one)
        return _good(found, wrong)

    def _from_file(self, content: Content) -> list[StreamSource]:
        try:
            listed = json.loads(self._path.read_text(encoding="utf-8-sig"))
        except ValueError as error:
            raise UnwellError(problem=f"The mirror list {self._path} is not JSON: {error}.") from error
        if not isinstance(listed, list):
            raise UnwellError(problem=f"The mirror list {self._path} must be a JSON array of objects.")
        wanted = {(name.series_id, name.season, name.episode) for name in content.names}
        found: list[StreamSource | None] = []
        for one in records(listed):
            place = (text(one.get("id")), number(one.get("season", 1)), number(one.get("episode", 1)))
            is_magnet = text(one.get("url")).startswith(_MAGNET)
            if is_magnet or place not in wanted:
                continue
            more: dict[str, Any] = {"provider": self.name, "type_": one.get("type"), "headers": one.get("headers")}
            found.append(source_of(one.get("url"), one.get("quality"), **more))
        return _good(found, f"{self._path}, {content.series_id}: `url` must be an http(s) address.")


def _good(found: Sequence[StreamSource | None], wrong: str) -> list[StreamSource]:
    """Return those that can be used; only if none can, say what is wrong."""
    good = [one for one in found if one]
    if found and not good:
        raise UnwellError(problem=wrong)
    return good
