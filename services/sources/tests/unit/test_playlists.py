"""Playlists, written anew."""

import pytest

from vod_sources.errors import SourceRefused
from vod_sources.playlists import Address, Media, read_master, read_media

BASE = "https://cdn.example/film/index.m3u8?token=secret"
MEDIA = b"""#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-KEY:METHOD=AES-128,URI="https://keys.example/k?token=secret"
#EXT-X-MAP:URI="init.mp4",BYTERANGE="100@0"
#EXT-X-SOMETHING:URI="https://tracker.example/"
#EXTINF:4.0,
#EXT-X-BYTERANGE:1000@100
all.mp4
#EXTINF:4.0,
#EXT-X-BYTERANGE:500
all.mp4
#EXT-X-ENDLIST
"""


def test_no_address_of_the_source_is_left() -> None:
    media = read_media(MEDIA, url=BASE, name="v0")

    assert not any(word in media.text for word in ("example", "secret", "SOMETHING", "BYTERANGE"))
    assert 'URI="v0/k0.key"' in media.text
    assert "v0/s7t0d4000.mp4" in media.text
    assert {
        7: Address("https://cdn.example/film/all.mp4", 100, 1000),
        8: Address("https://cdn.example/film/all.mp4", 1100, 500),
    } == media.segments
    assert Address("https://cdn.example/film/init.mp4", 0, 100) == media.others["m1.mp4"]


def test_a_segment_is_found_by_its_time() -> None:
    media = read_media(MEDIA, url=BASE, name="v0")

    assert [media.at(moment) for moment in (0, 3_500, 4_000)] == [7, 7, 8]


def cut(*seconds: float, first: int = 0) -> Media:
    """Return a stream that is cut so."""
    lines = "".join(f"#EXTINF:{one},\n{number}.ts\n" for number, one in enumerate(seconds))
    body = f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:{first}\n{lines}#EXT-X-ENDLIST\n"
    return read_media(body.encode(), url=BASE, name="v0")


@pytest.mark.parametrize(
    ("own", "other"),
    [((4, 4, 4), (2, 2, 2, 2, 2, 2)), ((2, 2, 2, 2, 2, 2), (4, 4, 4)), ((4, 4, 4), (3.5, 5, 3.5)), ((4, 4), (4, 4))],
)
def test_another_cut_goes_on_where_it_stopped_and_each_of_its_segments_comes_at_least_once(
    own: tuple[float, ...], other: tuple[float, ...]
) -> None:
    named, there = cut(*own), cut(*other, first=100)

    for begin in range(len(own)):
        rest = [
            one
            for number in range(begin, len(own))
            for one in there.instead_of(number, named.spans[number], leading=number == begin)
        ]
        plays = there.at(named.spans[begin].begins)

        assert (rest[0], rest, set(rest)) == (plays, sorted(rest), set(range(rest[0], 100 + len(other))))


def test_a_name_means_the_same_segment_to_the_source_that_gave_it() -> None:
    media = cut(4, 4, 0.02, 4)

    assert [media.instead_of(n, media.spans[n], leading=False) for n in range(4)] == [[0], [1], [2], [3]]


def test_a_live_playlist_names_its_segments_by_number_alone() -> None:
    media = read_media(MEDIA.replace(b"#EXT-X-ENDLIST\n", b""), url=BASE, name="v0")

    assert "v0/s7.mp4" in media.text


def test_variants_and_renditions_get_names_of_ours() -> None:
    body = b'#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,URI="a/en.m3u8"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n'

    master = read_master(body, url=BASE)

    assert master is not None
    assert master.variants == ("https://cdn.example/film/low.m3u8",)
    assert 'URI="a0.m3u8"' in master.text
    assert "low" not in master.text


@pytest.mark.parametrize("uri", ["file:///etc/passwd", "data:text/plain,x", "ftp://example.com/x"])
def test_only_the_web_is_led_to(uri: str) -> None:
    with pytest.raises(SourceRefused):
        read_media(f"#EXTM3U\n#EXTINF:1,\n{uri}\n".encode(), url=BASE, name="v0")
