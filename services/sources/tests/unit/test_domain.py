"""Sources in order, and which may stand in for which."""

from dataclasses import replace

import pytest

from vod_sources.domain import SourceType, StreamSource, Wanted, in_order

HLS = StreamSource("https://a.example/a.m3u8", "720p", SourceType.HLS, "one")
ANY = Wanted()
FILE = StreamSource("https://a.example/a.mp4", "720p", SourceType.MP4, "one", size=1_000)


@pytest.mark.parametrize(
    ("quality", "height"),
    [
        ("1080p", 1080), ("1080", 1080), ("4K", 2160), ("Host 4K HDR", 2160), ("The Film 2023 1080P WEB", 1080),
        ("Film.2023.1920x800.mkv", 800), ("auto", 0), ("HD", 0), ("backup", 0), ("Film 2023", 0), ("", 0),
    ],
)  # fmt: skip
def test_the_height_is_what_the_quality_says_and_never_a_year(quality: str, height: int) -> None:
    assert height == replace(HLS, quality=quality).height


def order(*sources: StreamSource, wanted: Wanted = ANY, dead: tuple[str, ...] = ()) -> list[str]:
    healthy = {one.url: one.url not in dead for one in sources}
    history = {("one", "b.example"): 0.2}
    return [one.url[8:] for one in in_order(sources, wanted=wanted, healthy=healthy, success=history)]


def source(name: str, **more: object) -> StreamSource:
    return replace(HLS, url=f"https://{name}", **more)  # type: ignore[arg-type]  # fields by name


def test_high_bitrates_come_first_and_a_stated_one_counts_more_than_a_height() -> None:
    found = order(
        source("low/", quality="480p"), source("high/", stated_bitrate=9_000_000), source("mid/", quality="1080p")
    )

    assert found == ["high/", "mid/", "low/"]


def test_what_the_link_or_the_device_does_not_carry_comes_behind_all_that_they_do() -> None:
    sources = (
        source("4k/", quality="2160p"),
        source("fast/", stated_bitrate=9_000_000),
        source("fits/", quality="480p"),
    )

    found = order(*sources, wanted=Wanted(max_bitrate=10_000_000, max_height=1080))

    assert found == ["fits/", "4k/", "fast/"]


def test_health_counts_most_then_curators_then_files_before_torrents_then_history() -> None:
    sources = (
        source("b.example/", quality="720p"),
        source("a.example/", quality="720p"),
        source("torrent/", quality="2160p", type=SourceType.TORRENT),
        source("curated/", quality="480p", collection="Open films"),
        source("dead/", quality="2160p", collection="Open films"),
    )

    assert order(*sources, dead=("https://dead/",)) == ["curated/", "a.example/", "b.example/", "torrent/", "dead/"]


def test_a_playlist_stands_in_for_any_other_but_a_file_only_for_the_same_bytes() -> None:
    other = {"url": "https://b.example/", "provider": "two", "quality": "1080p"}

    assert replace(HLS, **other).may_stand_in_for(HLS)  # type: ignore[arg-type]
    assert replace(FILE, **other).may_stand_in_for(FILE)  # type: ignore[arg-type]
    assert not replace(FILE, url="https://b.example/", size=999).may_stand_in_for(FILE)
    assert not replace(FILE, provider="two", size=0).may_stand_in_for(FILE)
    assert not HLS.may_stand_in_for(FILE)


def test_what_the_device_can_not_decode_comes_last_of_what_is_well_and_what_nobody_knows_is_tried() -> None:
    hevc, h264 = source("hevc/", codec="hevc", quality="2160p"), source("h264/", codec="h264")
    heavy, unknown = source("heavy/", stated_bitrate=90_000_000), source("unknown/", quality="480p")
    found = order(
        hevc,
        h264,
        heavy,
        unknown,
        source("dead/"),
        wanted=Wanted(codecs=("h264",), max_bitrate=20_000_000),
        dead=("https://dead/",),
    )

    assert found == ["h264/", "unknown/", "heavy/", "hevc/", "dead/"]


def test_all_of_what_the_device_shows_may_be_used_but_not_all_of_a_link() -> None:
    film = source("film/", stated_bitrate=9_000_000)

    assert Wanted(device_bitrate=9_000_000).fits(film)
    assert not Wanted(max_bitrate=9_000_000).fits(film)


def test_of_files_whose_length_nobody_knows_the_larger_one_comes_first() -> None:
    assert order(
        replace(FILE, url="https://small/", quality=""), replace(FILE, url="https://large/", quality="", size=2_000)
    ) == [
        "large/",
        "small/",
    ]
