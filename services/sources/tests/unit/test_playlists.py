"""Playlists, written anew."""

import pytest

from vod_sources.errors import SourceRefused
from vod_sources.playlists import Address, read_master, read_media

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
    assert "v0/s7.mp4" in media.text
    assert {
        7: Address("https://cdn.example/film/all.mp4", 100, 1000),
        8: Address("https://cdn.example/film/all.mp4", 1100, 500),
    } == media.segments
    assert Address("https://cdn.example/film/init.mp4", 0, 100) == media.others["m1.mp4"]


def test_a_segment_is_found_by_its_time() -> None:
    media = read_media(MEDIA, url=BASE, name="v0")

    assert [media.at(seconds) for seconds in (0.0, 3.5, 4.0)] == [7, 7, 8]


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
