"""What the fakes serve for the numbering cases: rows of mapping data, shows of TMDb, and entries of MyAnimeList.

Written by us in the shape of the real files from the facts that the cases state; the numbers of shows and entries are
real, titles are not given.
"""

from datetime import date, timedelta

from vod_fakes.mapping import Row
from vod_fakes.shapes import Anime, Episode, Library, Series

_RULE = "anidbseason"


def _ranges(where: str, *cuts: tuple[int, int, int]) -> list[dict[str, str | int]]:
    """Spans as (season, first, last), positions starting at 1 in each."""
    return [
        {_RULE: 1, f"{where}season": season, "start": first, "end": last, "offset": 1 - first}
        for season, first, last in cuts
    ]


def _pairs(where: str, season: int, pairs: str, *, anidb: int = 1) -> dict[str, str | int]:
    return {_RULE: anidb, f"{where}season": season, "pairs": pairs}


ONE_PIECE = ((1, 1, 61), (2, 62, 77), (3, 78, 91), (4, 92, 130), (5, 131, 143), (21, 892, 1088), (22, 1089, 1155))

ROWS = [
    Row(
        69, "21", ("37854", "a", ""), ("81797", "a", ""),
        spans=[
            *_ranges("tmdb", *ONE_PIECE),
            *_ranges("tvdb", (5, 61, 69), (8, 131, 143), (22, 1086, 1155), (23, 1156, 1200)),
        ],
    ),
    Row(9541, "16498", ("1429", "1", ""), ("267440", "1", "")),
    Row(10944, "25777", ("1429", "2", ""), ("267440", "2", "")),
    Row(13241, "35760", ("1429", "3", ""), ("267440", "3", "")),
    Row(14444, "38524", ("1429", "3", "12"), ("267440", "3", "12")),
    Row(14977, "40028", ("1429", "4", ""), ("267440", "4", "")),
    Row(16177, "48583", ("1429", "4", "16"), ("267440", "4", "16")),
    Row(17303, "51535", ("1429", "4", "28"), ("267440", "4", "28")),
    Row(15449, "41467", ("30984", "2", ""), ("74796", "17", "")),
    Row(17765, "53998", ("30984", "2", "13"), ("74796", "17", "13")),
    Row(18220, "56784", ("30984", "2", "26"), ("74796", "17", "26")),
    Row(19079, "60636", ("30984", "2", "40"), ("74796", "17", "40")),
    Row(2369, "269", ("30984", "1", ""), ("74796", "a", ""), spans=_ranges("tvdb", (16, 343, 366))),
    Row(8160, "10087", ("45845", "1", ""), ("275798", "1", "")),
    Row(8880, "11741", ("45845", "1", "13"), ("275798", "1", "13")),
    Row(15441, "41457", ("100565", "1", ""), ("378609", "1", "")),
    Row(16172, "48569", ("100565", "1", "11"), ("378609", "1", "11")),
    Row(16947, "50265", ("120089", "1", ""), ("405920", "1", "")),
    Row(17061, "50602", ("120089", "1", "12"), ("405920", "1", "12")),
    Row(17617, "52991", ("209867", "1", ""), ("424536", "1", "")),
    Row(18886, "59978", ("209867", "1", "28"), ("424536", "2", "")),
    Row(15275, "40748", ("95479", "1", ""), ("377543", "1", "")),
    Row(17196, "51009", ("95479", "2", ""), ("377543", "2", "")),
    Row(18363, "57658", ("95479", "1", "47"), ("377543", "3", "")),
    Row(11370, "31240", ("65942", "1", ""), ("305089", "1", "")),
    Row(14792, "39587", ("65942", "1", "26"), ("305089", "2", "")),
    Row(15593, "42203", ("65942", "1", "38"), ("305089", "2", "13")),
    Row(17947, "54857", ("65942", "1", "50"), ("305089", "3", "")),
    Row(19242, "61316", ("65942", "1", "66"), ("305089", "4", "")),
    Row(
        4880, "1735", ("31910", "a", ""), ("79824", "a", ""),
        spans=[*_ranges("tmdb", (10, 197, 221), (11, 222, 242)), *_ranges("tvdb", (10, 197, 222))],
    ),
    Row(239, "20", ("46260", "a", ""), ("78857", "a", ""), spans=_ranges("tvdb", (1, 1, 35), (2, 36, 83))),
    Row(266, "235", ("30983", "a", ""), ("72454", "a", ""), spans=_ranges("tvdb", (11, 286, 315))),
    Row(1677, "251", ("43232", "1", ""), ("79879", "1", ""), spans=_ranges("tvdb", (2, 40, 77))),
    Row(
        9183, "17074", ("46195", "3", ""), ("102261", "3", ""),
        spans=[_pairs("tvdb", 0, ";6-7;11-8;16-9;"), _pairs("tvdb", 3, ";5-5;7-6;8-7;")],
    ),
    Row(
        4728, "1565", ("60572", "10", ""), ("76703", "10", ""),
        spans=[_pairs("tvdb", 0, ";48-73;120-72;"), _pairs("tvdb", 10, ";49-48;50-49;")],
    ),
    Row(3651, "849", ("42511", "1", ""), ("79414", "1", "")),
    Row(
        6367, "849,4382", ("42511", "1", ""), ("79414", "1", ""),
        spans=[_pairs("tvdb", 1, ";1-2;2-3;3-5;"), _pairs("tvdb", 2, ";8-1;12-2;")],
    ),
    Row(17236, "51179", ("94664", "2", ""), ("371310", "2", ""), spans=[_pairs("tvdb", 0, ";1-2;", anidb=0)]),
    Row(18104, "55888", ("94664", "2", "12"), ("371310", "2", "12")),
    Row(202, "32", ("890", "0", "1"), ("70350", "0", "1"), imdb="tt0169858", spans=[_pairs("tvdb", 0, ";2-2;3-2;")]),
    Row(112, "199", films="129", imdb="tt0245429", tvdb=("movie", "", "")),
    Row(411, "459", films="19576", imdb="tt0814243", tvdb=("81797", "0", "1")),
    Row(
        8357, "", films="357786,362584,362585", tvdb=("102261", "0", ""),
        spans=[_pairs("tvdb", 0, ";1-2;2-19;3-20;")],
    ),
    Row(10583, "23775,23777", ("1429", "0", ""), ("267440", "0", ""), spans=[_pairs("tvdb", 0, ";1-14;2-18;")]),
    Row(
        9826, "18397,25781,36106", ("1429", "0", ""), ("267440", "0", ""),
        spans=[_pairs("tvdb", 0, ";1-7;2-12;3-13;4-15;5-17;6-20;")],
    ),
    Row(16164, "50612", ("86031", "0", "1"), ("355774", "0", "1")),
    Row(18064, "55644", ("86031", "3", "11"), ("355774", "3", "11")),
    Row(17777, "53876", ("220150", "1", ""), ("76703", "20", "")),
    Row(13917, "37491", ("57041", "10", ""), ("79895", "10", "12")),
    Row(252, "93", ("20111", "1", ""), ("254931", "1", "")),
    Row(2186, "94", ("20111", "1", ""), ("74890", "1", "")),
    Row(
        8550, "11061", ("46298", "a", ""), ("252322", "a", ""),
        spans=_ranges("tvdb", (1, 1, 58), (2, 59, 136), (3, 137, 148)),
    ),
    Row(99001, "9301", ("9301", "1", ""), ("9901", "1", "")),
    Row(99002, "9302", ("9301", "1", "12"), ("9901", "1", "12")),
]  # fmt: skip

_FIRST_DAY = date(2002, 10, 5)


def _show(tmdb_id: int, *seasons: tuple[int, int, int]) -> Series:
    """A show whose seasons print the numbers *first* to *last*."""
    episodes = tuple(
        Episode(tmdb_id * 10_000 + season * 2_000 + n, season, n, f"No. {n}", "", _FIRST_DAY + timedelta(days=n))
        for season, first, last in seasons
        for n in range(first, last + 1)
    )
    return Series(tmdb_id, f"Show {tmdb_id}", "", f"tt{tmdb_id:08}", tmdb_id, "JP", 1.0, episodes)


def _anime(mal_id: int, episodes: int, first_day: date = date(2020, 1, 1)) -> Anime:
    listed = tuple(
        Episode(n, 1, n, f"No. {n}", "", first_day + timedelta(days=7 * n - 7)) for n in range(1, episodes + 1)
    )
    return Anime(mal_id, f"Entry {mal_id}", f"Entry {mal_id}", "", "spring", listed)


LIBRARY = Library(
    series=(
        # TMDb prints on from season to season here.
        # The last season is one that the data do not know yet.
        _show(37854, *ONE_PIECE[:5], (6, 144, 891), *ONE_PIECE[5:], (23, 1156, 1160)),
        _show(1429, (0, 1, 30), (1, 1, 25), (2, 1, 12), (3, 1, 22), (4, 1, 30)),
        _show(46260, (1, 1, 52), (2, 1, 52), (3, 1, 54), (4, 1, 62)),
        _show(30983, (1, 1, 1200)),
        _show(46298, (1, 1, 58), (2, 1, 78), (3, 1, 12)),
        _show(20111, (1, 1, 50)),
        _show(95479, (1, 1, 59)),
        _show(65942, (1, 1, 85)),
        # A Western show with a special, which no anime data know.
        _show(9400, (0, 1, 2), (1, 1, 10), (2, 1, 10)),
    ),
    films=(),
    anime=(
        _anime(93, 50, _FIRST_DAY + timedelta(days=1)),
        _anime(94, 50, date(2004, 10, 9)),
        _anime(51179, 12),
        _anime(31240, 25),
        _anime(9302, 12),
    ),
    releases=(),
    subtitles=(),
)  # fmt: skip
