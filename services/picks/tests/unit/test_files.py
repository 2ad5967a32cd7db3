"""Which file of a torrent is the episode."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vod_picks.domain import ChosenFile, Episode, EpisodeKey, Kind, Reason, SourceKind, TorrentFile
from vod_picks.files import find_file

PACK = "Harbor.Lights.S01.1080p.WEB-DL.H264-NOVA"
MB = 1_000_000


def series(
    season: int, episode: int, *, title: str = "Harbor Lights", name: str = "", aired: date | None = None
) -> Episode:
    return Episode(
        key=EpisodeKey("tmdb:tv:9001", season, episode),
        kind=Kind.SERIES,
        titles=(title,),
        year=2024,
        name=name,
        air_date=aired,
    )


def anime(season: int, episode: int, absolute: int) -> Episode:
    return Episode(
        key=EpisodeKey("mal:anime:9201", season, episode), kind=Kind.ANIME, titles=("Lantern Sea",), absolute=absolute
    )


def film(title: str = "The Glass Orchard", year: int = 2023) -> Episode:
    return Episode(key=EpisodeKey("tmdb:movie:9101", 1, 1), kind=Kind.MOVIE, titles=(title,), year=year)


def torrent(*paths: str, sizes: dict[str, int] | None = None) -> list[TorrentFile]:
    sizes = sizes or {}
    return [TorrentFile(index=i, path=path, size_bytes=sizes.get(path, 700 * MB)) for i, path in enumerate(paths)]


def chosen(found: ChosenFile | Reason) -> str:
    return found.file.path if isinstance(found, ChosenFile) else found.code


NOVA = [
    f"{PACK}/1 Harbor.Lights.S01E03.The.Long.Fog.1080p.WEB-DL.H264-NOVA.mkv",
    f"{PACK}/2 Harbor.Lights.S01E01.The.Keeper.1080p.WEB-DL.H264-NOVA.mkv",
    f"{PACK}/3 Harbor.Lights.S01E04.First.Light.1080p.WEB-DL.H264-NOVA.mkv",
    f"{PACK}/4 Harbor.Lights.S01E02.Low.Tide.1080p.WEB-DL.H264-NOVA.mkv",
    f"{PACK}/Extras/Making.of.Harbor.Lights.mkv",
    f"{PACK}/Sample/sample-harbor.lights.s01e03.mkv",
    f"{PACK}/harbor.lights.nfo",
]


@pytest.mark.parametrize(("episode", "index"), [(1, 1), (2, 3), (3, 0), (4, 2)])
def test_in_a_season_pack_the_name_decides_although_order_and_sizes_mislead(episode: int, index: int) -> None:
    sizes = {
        NOVA[0]: 10 * MB,
        NOVA[1]: 40 * MB,
        NOVA[2]: 20 * MB,
        NOVA[3]: 30 * MB,
        NOVA[4]: 900 * MB,
        NOVA[5]: 50 * MB,
    }

    found = find_file(torrent(*NOVA, sizes=sizes), episode=series(1, episode), release_title=PACK)

    assert isinstance(found, ChosenFile)
    assert (found.file.index, found.source_kind) == (index, SourceKind.SEASON_PACK)


TRICKY: list[tuple[str, Episode, str, list[str], str]] = [
    (
        "folders say the season",
        series(2, 3),
        "Harbor Lights complete",
        ["Season 1/03.mkv", "Season 2/03.mkv"],
        "Season 2/03.mkv",
    ),
    (
        "the release says the season",
        series(1, 3),
        PACK,
        ["02 - Low Tide.mkv", "03 - The Long Fog.mkv"],
        "03 - The Long Fog.mkv",
    ),
    ("another season's pack", series(2, 3), PACK, ["02 - Low Tide.mkv", "03 - The Long Fog.mkv"], "NO_SUCH_FILE"),
    ("scene numbers", series(1, 3), PACK, ["hl.101.mkv", "hl.102.mkv", "hl.103.mkv"], "hl.103.mkv"),
    ("crosses", series(1, 3), PACK, ["Harbor Lights 1x02.avi", "Harbor Lights 1x03.avi"], "Harbor Lights 1x03.avi"),
    ("two in one file", series(1, 2), PACK, ["hl.S01E01-E02.mkv", "hl.S01E03-E04.mkv"], "hl.S01E01-E02.mkv"),
    ("alone beats together", series(1, 2), PACK, ["a.S01E01E02.mkv", "b.S01E02.mkv"], "b.S01E02.mkv"),
    ("the later issue", series(1, 2), PACK, ["hl.S01E02.mkv", "hl.S01E02.REPACK.mkv"], "hl.S01E02.REPACK.mkv"),
    (
        "two shows in one torrent",
        series(1, 2),
        PACK,
        ["Pier.Lights.S01E02.mkv", "Harbor.Lights.S01E02.mkv"],
        "Harbor.Lights.S01E02.mkv",
    ),
    ("a nameless single", series(1, 3), "Harbor.Lights.S01E03.720p-TIDE", ["a8f3kd.mkv", "readme.txt"], "a8f3kd.mkv"),
    (
        "a nameless single of another episode",
        series(1, 4),
        "Harbor.Lights.S01E03.720p-TIDE",
        ["a8f3kd.mkv"],
        "NO_SUCH_FILE",
    ),
    (
        "the release lies about its file",
        series(1, 3),
        "Harbor.Lights.S01E03.720p-TIDE",
        ["hl.S01E04.mkv"],
        "NO_SUCH_FILE",
    ),
    (
        "a sample beside the single",
        series(1, 3),
        "Harbor.Lights.S01E03-TIDE",
        ["hl.s01e03.mkv", "hl.s01e03-sample.mkv"],
        "hl.s01e03.mkv",
    ),
    ("nothing but a sample", series(1, 3), "Harbor.Lights.S01E03-TIDE", ["Sample/hl.s01e03.mkv"], "NO_VIDEO"),
    ("a trailer", series(1, 3), PACK, ["Trailer.S01E03.mkv", "hl.S01E03.mkv"], "hl.S01E03.mkv"),
    (
        "a show named like an extra",
        series(1, 3, title="Trailer Town"),
        "x",
        ["Trailer.Town.S01E03.mkv"],
        "Trailer.Town.S01E03.mkv",
    ),
    (
        "a show named like a folder",
        series(1, 3, title="Extras"),
        "x",
        ["a.txt", "Extras/Extras.S01E03.mkv"],
        "Extras/Extras.S01E03.mkv",
    ),
    (
        "an episode named like an extra",
        series(1, 3, name="The Interview"),
        PACK,
        ["hl.S01E03.The.Interview.mkv"],
        "hl.S01E03.The.Interview.mkv",
    ),
    (
        "an interview in the middle of a name",
        series(1, 3),
        PACK,
        ["hl.S01E03.Interview.With.Ada.mkv"],
        "hl.S01E03.Interview.With.Ada.mkv",
    ),
    ("specials count apart", series(1, 1), PACK, ["Specials/01.mkv", "01.mkv"], "01.mkv"),
    ("a special", series(0, 1), "Harbor Lights", ["Specials/01.mkv", "Season 1/01.mkv"], "Specials/01.mkv"),
    (
        "by date",
        series(1, 3, aired=date(2024, 3, 5)),
        "x",
        ["hl.2024.03.04.mkv", "hl.2024.03.05.mkv"],
        "hl.2024.03.05.mkv",
    ),
    ("no video at all", series(1, 3), PACK, ["hl.S01E03.rar", "hl.S01E03.r00"], "NO_VIDEO"),
    ("an empty file", series(1, 3), PACK, ["hl.S01E03.nfo"], "NO_VIDEO"),
    ("malware", series(1, 3), PACK, ["hl.S01E03.mkv", "codec-setup.exe"], "DANGEROUS_FILE"),
    ("malware in disguise", series(1, 3), PACK, ["hl.S01E03.mkv.lnk"], "DANGEROUS_FILE"),
    ("a disc image", series(1, 1), PACK, ["BDMV/STREAM/00001.m2ts"], "DISC_IMAGE"),
    ("absolute numbers", anime(2, 2, 5), "[T] Lantern Sea (01-06)", ["LS - 02.mkv", "LS - 05.mkv"], "LS - 05.mkv"),
    (
        "absolute numbers, not there",
        anime(2, 2, 5),
        "[T] Lantern Sea (01-03)",
        ["LS - 01.mkv", "LS - 02.mkv"],
        "NO_SUCH_FILE",
    ),
    (
        "numbers of the second season",
        anime(2, 2, 5),
        "[T] Lantern Sea 2nd Season",
        ["LS - 01.mkv", "LS - 02.mkv"],
        "LS - 02.mkv",
    ),
    (
        "absolute in the second season",
        anime(2, 2, 5),
        "[T] Lantern Sea S2",
        ["LS - 04.mkv", "LS - 05.mkv"],
        "LS - 05.mkv",
    ),
    ("nobody can tell", anime(2, 1, 4), "[T] Lantern Sea 2nd Season", ["LS - 04.mkv"], "NO_SUCH_FILE"),
    ("a whole anime as season 1", anime(2, 2, 5), "x", ["LS.S01E02.mkv", "LS.S01E05.mkv"], "LS.S01E05.mkv"),
    (
        "one anime file",
        anime(2, 2, 5),
        "[T] Lantern Sea - 05",
        ["[T] Lantern Sea - 05 (1080p) [WEB x264].mkv"],
        "[T] Lantern Sea - 05 (1080p) [WEB x264].mkv",
    ),
    ("an opening without credits", anime(1, 1, 1), "x", ["LS NCOP1 - 01.mkv", "LS - 01.mkv"], "LS - 01.mkv"),
    ("a recap", anime(2, 2, 5), "x", ["LS - 05.5.mkv", "LS - 05.mkv"], "LS - 05.mkv"),
]


@pytest.mark.parametrize(
    ("episode", "release", "paths", "expected"), [t[1:] for t in TRICKY], ids=[t[0] for t in TRICKY]
)
def test_tricky_torrents(episode: Episode, release: str, paths: list[str], expected: str) -> None:
    assert chosen(find_file(torrent(*paths), episode=episode, release_title=release)) == expected


def test_an_anime_and_a_series_with_the_same_files_may_differ() -> None:
    files = torrent("LS - 02.mkv", "LS - 05.mkv")

    assert chosen(find_file(files, episode=anime(1, 2, 2), release_title="[T] Lantern Sea")) == "LS - 02.mkv"
    assert chosen(find_file(files, episode=anime(2, 2, 5), release_title="[T] Lantern Sea")) == "LS - 05.mkv"


FILM = "The.Glass.Orchard.2023.1080p.WEB-DL.H264-NOVA"
FILMS: list[tuple[str, list[str], dict[str, int], str]] = [
    ("one file", ["x/gobo.mkv"], {}, "x/gobo.mkv"),
    (
        "an extra that is larger",
        [f"{FILM}.mkv", "Extras/Making.of.mkv"],
        {"Extras/Making.of.mkv": 9000 * MB},
        f"{FILM}.mkv",
    ),
    (
        "by name in a collection",
        ["Tin.Orchard.2021.mkv", f"{FILM}.mkv"],
        {"Tin.Orchard.2021.mkv": 9000 * MB},
        f"{FILM}.mkv",
    ),
    (
        "by year",
        ["The.Glass.Orchard.1950.mkv", f"{FILM}.mkv"],
        {"The.Glass.Orchard.1950.mkv": 9000 * MB},
        f"{FILM}.mkv",
    ),
    ("the main feature", ["a1.mkv", "a2.mkv"], {"a1.mkv": 90 * MB}, "a2.mkv"),
    ("nobody can tell", ["a1.mkv", "a2.mkv"], {}, "NO_SUCH_FILE"),
    ("split", ["tgo.cd1.avi", "tgo.cd2.avi"], {}, "SPLIT_FILM"),
    ("a trailer beside", [f"{FILM}.mkv", "The.Glass.Orchard.Trailer.mkv"], {}, f"{FILM}.mkv"),
]


@pytest.mark.parametrize(("paths", "sizes", "expected"), [f[1:] for f in FILMS], ids=[f[0] for f in FILMS])
def test_films(paths: list[str], sizes: dict[str, int], expected: str) -> None:
    assert chosen(find_file(torrent(*paths, sizes=sizes), episode=film(), release_title=FILM)) == expected


@given(
    order=st.permutations(range(1, 13)),
    sizes=st.lists(st.integers(1, 10**12), min_size=14, max_size=14),
    wanted=st.integers(1, 12),
)
def test_neither_order_nor_size_changes_which_file_it_is(order: list[int], sizes: list[int], wanted: int) -> None:
    paths = [f"{PACK}/{n:02}. Harbor.Lights.S01E{e:02}.mkv" for n, e in enumerate(order)]
    paths += [f"{PACK}/Sample/sample.mkv", f"{PACK}/Featurettes/{wanted:02}.mkv"]
    files = [
        TorrentFile(index=i, path=path, size_bytes=size)
        for i, (path, size) in enumerate(zip(paths, sizes, strict=True))
    ]

    found = find_file(files, episode=series(1, wanted), release_title=PACK)

    assert chosen(found) == paths[order.index(wanted)]


@given(
    st.lists(
        st.tuples(st.text(min_size=1, max_size=60), st.sampled_from([".mkv", ".mp4", ".exe", ".txt", ""])), max_size=8
    ),
    st.sampled_from([series(1, 3), anime(2, 2, 5), film()]),
)
def test_whatever_a_torrent_holds_the_answer_is_one_of_its_videos_or_a_reason(
    names: list[tuple[str, str]], episode: Episode
) -> None:
    files = [TorrentFile(index=i, path=name + suffix, size_bytes=1) for i, (name, suffix) in enumerate(names)]

    found = find_file(files, episode=episode, release_title=PACK)

    assert isinstance(found, Reason) or (found.file in files and found.file.path.lower().endswith((".mkv", ".mp4")))
