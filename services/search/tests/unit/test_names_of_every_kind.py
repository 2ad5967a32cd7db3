"""Release names of every kind say what a person reads in them; they stand in `names/`. All titles are made up.

Conventions: a season or episode that is not named is absent; a running number of anime is absolute; what is a year, a
picture size, a channel count or a part of the title is no number at all. "1-4" stands for 1, 2, 3, 4. `kind` is what
was looked for ("any": not said). Most were written down before anybody knew what the rules make of them.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from vod_search.domain import Codec, Kind, ReleaseTraits, Source
from vod_search.release_name import parse

KINDS = {kind.value: kind for kind in Kind} | {"any": None}
NUMBERS: dict[str, Any] = {"seasons": (), "episodes": (), "absolutes": (), "season_pack": False, "air_date": None}
NAMES = [
    (name, stated)
    for table in sorted(Path(__file__).with_name("names").glob("*.toml"))
    for names in tomllib.loads(table.read_text()).values()
    for name, stated in names.items()
]


def numbers(written: int | str) -> tuple[int, ...]:
    """Read `3` and `"1-4,7"`."""
    return tuple(number for part in str(written).split(",") for number in span(part))


def span(part: str) -> Iterator[int]:
    first, _, last = part.partition("-")
    yield from range(int(first), int(last or first) + 1)


def meaning(field: str, written: Any) -> Any:
    match field:
        case "seasons" | "episodes" | "absolutes":
            return numbers(written)
        case "languages":
            return tuple(written)
        case "source":
            return Source[written]
        case "codec":
            return Codec[written]
        case _:
            return written


def read(traits: ReleaseTraits, fields: set[str]) -> dict[str, Any]:
    return {field: value for field, value in asdict(traits).items() if field in fields}


@pytest.mark.parametrize(("name", "stated"), NAMES, ids=[name for name, _ in NAMES])
def test_a_name_says_what_a_person_reads_in_it(name: str, stated: dict[str, Any]) -> None:
    fields = {field: meaning(field, written) for field, written in stated.items() if field not in ("kind", "title")}
    wanted = NUMBERS | fields

    traits = parse(name, KINDS[stated["kind"]])

    assert read(traits, set(wanted)) == wanted
    assert "title" not in stated or stated["title"] in traits.titles


def test_there_are_many() -> None:
    assert len({name for name, _ in NAMES}) == len(NAMES) >= 600
