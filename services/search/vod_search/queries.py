"""In which words indexers are asked for an episode."""

import enum
import re
import unicodedata
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from vod_search.domain import Kind, Wanted

MOST_QUERIES = 3  # per indexer
LONGEST_TITLE = 100
TV_IDS = ("tvdb", "imdb", "tmdb")  # most often understood first
MOVIE_IDS = ("imdb", "tmdb")
ID = re.compile(r"(?:tt)?\d{1,12}")
FIRST_YEAR = 1900  # a season of this number is a year
MOST_WEEKLY = 53  # episodes in a season of a show that is not on every day
APOSTROPHES = re.compile(r"['`\u2019\u00b4]")
ARTICLES = ("the", "a", "an")
CATEGORIES = {Kind.SERIES: 5000, Kind.ANIME: 5000, Kind.MOVIE: 2000}  # of Newznab; each stands for its subcategories


class Availability(enum.Enum):
    """Whether something can be asked for."""

    YES = "yes"
    NO = "no"


class Mode(enum.Enum):
    """The kinds of search that Newznab, Torznab and Prowlarr know; the value is what they call it."""

    WORDS = "search"
    TV = "tvsearch"
    MOVIE = "movie"


@dataclass(frozen=True, slots=True)
class Abilities:
    """What an indexer understands: whether it searches by words, and the parameters of its other searches.

    Parameters are named as in Torznab: q, season, ep, year, imdbid, tmdbid, tvdbid.
    """

    words: Availability = Availability.YES
    tv: frozenset[str] = frozenset()
    movie: frozenset[str] = frozenset()


ONLY_WORDS = Abilities()


@dataclass(frozen=True, slots=True)
class Query:
    """One search: words, and parameters by their Torznab names, which the indexer is known to understand."""

    mode: Mode
    words: str
    params: Mapping[str, str] = field(default_factory=dict)


def queries(wanted: Wanted, abilities: Abilities = ONLY_WORDS) -> tuple[Query, ...]:
    """Return what to ask an indexer, most specific first; three queries at most, because many are limited.

    Series are asked for by episode and by season (packs), daily ones by date, anime by its running number, films by
    year; by an id where the indexer understands one, which also finds what goes by another title there.
    """
    main, *others = _askable(wanted.titles)
    by_id = _by_id(wanted, abilities)
    match wanted.kind:
        case Kind.MOVIE:
            asked = [*by_id, *(_film(title, wanted, abilities) for title in (main, *others[:1]))]
        case Kind.ANIME if wanted.absolute:
            running = [_words(f"{title} {wanted.absolute:02d}", abilities) for title in (main, *others[:1])]
            asked = [running[0], *(by_id[:1] or [_episode(main, wanted, abilities)]), *running[1:]]
        case _ if wanted.air_date and _is_daily(wanted):
            dated = _words(f"{main} {wanted.air_date:%Y %m %d}", abilities)
            asked = [*by_id, dated, _episode(main, wanted, abilities), _season(main, wanted, abilities)]
        case _ if by_id:
            asked = [*by_id, _episode(main, wanted, abilities)]
        case _:
            asked = [_episode(main, wanted, abilities), _season(main, wanted, abilities)]
            asked += [_episode(title, wanted, abilities) for title in others[:1]]
    kept = [one for one in asked if one]
    return tuple(one for place, one in enumerate(kept) if one not in kept[:place])[:MOST_QUERIES]


def _by_id(wanted: Wanted, abilities: Abilities) -> list[Query | None]:
    """Ask by the first id that both sides know: for the film, or for the episode and for its season."""
    is_film = wanted.kind is Kind.MOVIE
    mode, known = (Mode.MOVIE, abilities.movie) if is_film else (Mode.TV, abilities.tv)
    ids = MOVIE_IDS if is_film else TV_IDS
    found = next(((f"{one}id", wanted.external_ids[one]) for one in ids if _knows(one, wanted, known)), None)
    if found is None:
        return []
    if is_film:
        return [Query(mode, "", dict([found]))]
    if "season" not in known:
        return []
    numbers = _numbers(wanted)
    season = Query(mode, "", dict([found, numbers[0]]))
    return [Query(mode, "", dict([found, *numbers])), season] if "ep" in known else [season]


def _knows(one: str, wanted: Wanted, known: Set[str]) -> bool:
    return f"{one}id" in known and ID.fullmatch(wanted.external_ids.get(one, "")) is not None


def _numbers(wanted: Wanted) -> list[tuple[str, str]]:
    """Return season and episode; shows that are on every day count by year, and month and day."""
    if wanted.air_date and _is_daily(wanted):
        return [("season", f"{wanted.air_date:%Y}"), ("ep", f"{wanted.air_date:%m/%d}")]
    return [("season", str(wanted.season)), ("ep", str(wanted.episode))]


def _episode(title: str, wanted: Wanted, abilities: Abilities) -> Query | None:
    if {"q", "season", "ep"} <= abilities.tv:
        return Query(Mode.TV, title, dict(_numbers(wanted)))
    return _words(f"{title} S{wanted.season:02d}E{wanted.episode:02d}", abilities)


def _season(title: str, wanted: Wanted, abilities: Abilities) -> Query | None:
    if {"q", "season"} <= abilities.tv:
        return Query(Mode.TV, title, dict(_numbers(wanted)[:1]))
    return _words(f"{title} S{wanted.season:02d}", abilities)


def _film(title: str, wanted: Wanted, abilities: Abilities) -> Query | None:
    if wanted.year and {"q", "year"} <= abilities.movie:
        return Query(Mode.MOVIE, title, {"year": str(wanted.year)})
    return _words(f"{title} {wanted.year}" if wanted.year else title, abilities)


def _words(text: str, abilities: Abilities) -> Query | None:
    """Ask in words; what searches films or series by words only, is asked so."""
    if abilities.words is Availability.YES:
        return Query(Mode.WORDS, text)
    mode = next(
        (mode for mode, known in ((Mode.TV, abilities.tv), (Mode.MOVIE, abilities.movie)) if "q" in known), None
    )
    return Query(mode, text) if mode else None


def _is_daily(wanted: Wanted) -> bool:
    """Tell whether the numbers are those of a show that is on every day."""
    return wanted.season >= FIRST_YEAR or wanted.episode > MOST_WEEKLY


def _askable(titles: Sequence[str]) -> list[str]:
    """Return the titles as search words, those in Latin script first, without repetitions."""
    by_key: dict[str, str] = {}
    for title in titles:
        if words := _searchable(title):
            by_key.setdefault(title_key(title), words)
    return sorted(by_key.values(), key=lambda words: not re.search(r"[a-zA-Z]", words)) or [""]


def _searchable(title: str) -> str:
    """Return *title* without punctuation, which indexers take literally; braces would be Prowlarr's own syntax."""
    text = unicodedata.normalize("NFC", title).replace("&", " and ")
    text = APOSTROPHES.sub("", text)
    return " ".join(re.sub(r"[^\w\s-]|_", " ", text).split())[:LONGEST_TITLE].strip()


def title_key(title: str) -> str:
    """Return what is left of *title* without case, accents, spaces, punctuation and a leading article."""
    text = unicodedata.normalize("NFKD", title).casefold().replace("&", " and ")
    words = re.findall(
        r"\w+",
        "".join(char for char in APOSTROPHES.sub("", text) if not unicodedata.combining(char)).replace("_", " "),
    )
    return "".join(words[1:] if len(words) > 1 and words[0] in ARTICLES else words)
