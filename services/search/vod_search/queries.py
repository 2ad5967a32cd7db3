"""In which words indexers are asked for an episode."""

import re
import unicodedata
from collections.abc import Sequence

from vod_search.domain import Kind, Wanted

LONGEST_TITLE = 100
FIRST_YEAR = 1900  # a season of this number is a year
MOST_WEEKLY = 53  # episodes in a season of a show that is not on every day
APOSTROPHES = re.compile(r"['`\u2019\u00b4]")
ARTICLES = ("the", "a", "an")
CATEGORIES = {Kind.SERIES: 5000, Kind.ANIME: 5000, Kind.MOVIE: 2000}  # of Newznab; each stands for its subcategories


def queries(wanted: Wanted) -> tuple[str, ...]:
    """Return what to ask each indexer, most specific first; two or three queries at most.

    Series are asked for by episode and by season (packs), anime by its running number, films by year.
    """
    main, *others = _askable(wanted.titles)
    standard = f"{main} S{wanted.season:02d}E{wanted.episode:02d}"
    match wanted.kind:
        case Kind.MOVIE:
            asked = [f"{main} {wanted.year}" if wanted.year else main]
        case Kind.ANIME if wanted.absolute:
            running = [f"{title} {wanted.absolute:02d}" for title in (main, *others[:1])]
            asked = [running[0], standard, *running[1:]]
        case _:
            asked = [standard, f"{main} S{wanted.season:02d}"]
            if wanted.air_date and _is_daily(wanted):
                asked.append(f"{main} {wanted.air_date:%Y %m %d}")
    return tuple(dict.fromkeys(asked))


def _is_daily(wanted: Wanted) -> bool:
    """Tell whether the numbers are those of a show that is on every day."""
    return wanted.season >= FIRST_YEAR or wanted.episode > MOST_WEEKLY


def _askable(titles: Sequence[str]) -> list[str]:
    """Return the titles as search words, those in Latin script first, without repetitions."""
    by_key = {title_key(title): words for title in titles if (words := _words(title))}
    return sorted(by_key.values(), key=lambda words: not re.search(r"[a-zA-Z]", words)) or [""]


def _words(title: str) -> str:
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
