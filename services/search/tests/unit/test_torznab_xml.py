"""What is read of Torznab's XML, however broken it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vod_search.magnets import TrackerHosts
from vod_search.normalising import UnreadableAnswerError
from vod_search.queries import Abilities, Availability
from vod_search.torznab_xml import Capabilities, ErrorDocument, capabilities, feed

HASH = "0123456789abcdef0123456789abcdef01234567"
HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n'
SPACE = b'xmlns:torznab="http://torznab.com/schemas/2015/feed"'
NEWZNAB = b'xmlns:torznab="http://www.newznab.com/DTD/2010/feeds/attributes/"'


def rss(item: bytes, *, head: bytes = HEAD, space: bytes = SPACE) -> bytes:
    return head + b'<rss version="2.0" ' + space + b"><channel><item>" + item + b"</item></channel></rss>"


def attribute(name: str, value: object) -> bytes:
    return f'<torznab:attr name="{name}" value="{value}"/>'.encode()


ITEM = b"".join(
    (
        b"<title>Harbor.Lights.S01E01.720p.WEB</title><guid>https://lamps.example/1</guid>",
        b"<pubDate>Sat, 29 Aug 2026 12:00:00 +0200</pubDate><size>5</size><link>https://lamps.example/1.torrent</link>",
        b'<enclosure url="https://lamps.example/2.torrent" length="7" type="application/x-bittorrent"/>',
        attribute("category", 5040),
        attribute("size", 900),
        attribute("seeders", 12),
        attribute("peers", 15),
        attribute("infohash", HASH.upper()),
        attribute("magneturl", f"magnet:?xt=urn:btih:{HASH}&amp;tr=udp://tracker.lamps.example:1337"),
    )
)


@pytest.mark.parametrize("space", [SPACE, NEWZNAB])
def test_an_item_has_all_that_is_told(space: bytes) -> None:
    (found,) = feed(rss(ITEM, space=space), indexer="Lamps", hosts=TrackerHosts.PUBLIC)

    assert (found.title, found.indexer, found.infohash) == ("Harbor.Lights.S01E01.720p.WEB", "Lamps", HASH)
    assert (found.size_bytes, found.seeders, found.leechers) == (900, 12, 3)
    assert found.published_at == 1_788_004_800 - 7200
    assert found.trackers == {"udp://tracker.lamps.example:1337"}
    assert found.download_url == "https://lamps.example/2.torrent"


def test_what_is_not_told_is_not_known() -> None:
    (found,) = feed(rss(b"<title>Harbor Lights S01E01</title>"), indexer="Lamps", hosts=TrackerHosts.PUBLIC)

    assert (found.infohash, found.size_bytes, found.seeders, found.leechers) == (None, 0, None, None)
    assert (found.published_at, found.trackers, found.download_url) == (0, frozenset(), "")


@pytest.mark.parametrize(
    ("name", "value"),
    [("seeders", -1), ("seeders", 2**62), ("seeders", "many"), ("seeders", "1e9"), ("seeders", ""), ("size", -5)],
)
def test_impossible_numbers_are_not_known(name: str, value: object) -> None:
    (found,) = feed(
        rss(b"<title>Harbor Lights S01E01</title>" + attribute(name, value)), indexer="x", hosts=TrackerHosts.PUBLIC
    )

    assert (found.seeders, found.size_bytes) == (None, 0)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        (b"Harbor & Lights S01E01", "Harbor & Lights S01E01"),
        (b"Harbor&nbsp;Lights S01E01", "Harbor Lights S01E01"),
        (b"Harbor &amp;amp; Lights S01E01", "Harbor & Lights S01E01"),
        (b"Harbor\x1a Lights S01E01", "Harbor Lights S01E01"),
        (b"Harbor&#26; Lights&#x0; S01E01", "Harbor Lights S01E01"),
        (b"Harbor L\xefghts S01E01", "Harbor L\ufffdghts S01E01"),
        (b"<![CDATA[Harbor <b>Lights</b> S01E01]]>", "Harbor Lights S01E01"),
    ],
)
def test_broken_text_is_mended(title: bytes, expected: str) -> None:
    (found,) = feed(rss(b"<title>" + title + b"</title>"), indexer="x", hosts=TrackerHosts.PUBLIC)

    assert found.title == expected


def test_the_declared_encoding_counts() -> None:
    head = b'<?xml version="1.0" encoding="ISO-8859-1"?>'

    (found,) = feed(rss(b"<title>H\xe4fen S01E01</title>", head=head), indexer="x", hosts=TrackerHosts.PUBLIC)

    assert found.title == "Häfen S01E01"


@pytest.mark.parametrize("name", ["punycode", "zip", "nonsense"])
def test_an_encoding_that_nobody_uses_is_taken_for_utf_8(name: str) -> None:
    assert feed(f'<?xml version="1.0" encoding="{name}"?><rss/>'.encode(), indexer="x", hosts=TrackerHosts.PUBLIC) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nothing",
        b"<!doctype html><title>Login</title>",
        b"<html><title>Login</title></html>",
        b"<rss><channel><item>",
        b"<rss/>" * 2,
        b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rss>&b;</rss>',
        b'<!-- --><!DOCTYPE rss SYSTEM "http://169.254.169.254/"><rss/>',
        b"\xff\xfe<\x00r\x00",
        b'<?xml version="1.0" encoding="punycode"?>---',
    ],
)
def test_what_is_no_feed_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(UnreadableAnswerError):
        feed(body, indexer="x", hosts=TrackerHosts.PUBLIC)


def test_a_deep_document_is_harmless() -> None:
    with pytest.raises(UnreadableAnswerError):
        feed(b"<a>" * 200_000, indexer="x", hosts=TrackerHosts.PUBLIC)


@pytest.mark.parametrize("code", ["100", "429", "none"])
def test_an_error_document_is_one(code: str) -> None:
    body = HEAD + f'<error code="{code}" description="Incorrect &lt;b&gt;user&lt;/b&gt; credentials" />'.encode()

    with pytest.raises(ErrorDocument) as failure:
        feed(body, indexer="x", hosts=TrackerHosts.PUBLIC)

    assert (failure.value.code, failure.value.description) == (
        int(code) if code.isdigit() else 0,
        "Incorrect user credentials",
    )


@given(st.binary(max_size=200))
def test_any_bytes_are_a_feed_or_refused(body: bytes) -> None:
    with pytest.raises((UnreadableAnswerError, ErrorDocument)):
        feed(body, indexer="x", hosts=TrackerHosts.PUBLIC)


@given(st.text(max_size=100))
def test_any_title_is_read(title: str) -> None:
    body = rss(b"<title><![CDATA[" + title.replace("]]>", "").encode("utf-8", "replace") + b"]]></title>")

    assert len(feed(body, indexer="x", hosts=TrackerHosts.PUBLIC)) <= 1


CAPS = b"""<caps><server version="1.0"/><limits max="100" default="50"/><searching>
<search available="%s" supportedParams="q"/>
<tv-search available="yes" supportedParams="q,season,ep,imdbId , tvdbid"/>
<movie-search available="no" supportedParams="q,imdbid"/></searching>
<categories><category id="5000" name="TV"><subcat id="5070" name="Anime"/></category><category id="x" name="?"/>
</categories></caps>"""


def test_capabilities_are_read() -> None:
    tv = frozenset({"q", "season", "ep", "imdbid", "tvdbid"})

    assert capabilities(CAPS % b"yes") == Capabilities(Abilities(tv=tv), frozenset({5000, 5070}))
    assert capabilities(CAPS % b"no").abilities == Abilities(words=Availability.NO, tv=tv)
    assert capabilities(b"<caps/>") == Capabilities(Abilities())
