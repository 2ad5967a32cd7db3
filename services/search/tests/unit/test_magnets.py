"""Infohashes and magnets: what is read, and what is never handed on."""

import base64
import hashlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vod_search.bencode import NotATorrentError, read_metainfo
from vod_search.magnets import (
    Magnet,
    TrackerHosts,
    build_magnet,
    is_public_host,
    parse_infohash,
    parse_magnet,
    safe_trackers,
)

HASH = "0123456789abcdef0123456789abcdef01234567"
PUBLIC = "udp://tracker.lamps.example:1337/announce"
INFO = b"d6:lengthi5e4:name4:lamp12:piece lengthi16384e6:pieces20:" + bytes(20) + b"e"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HASH, HASH),
        (HASH.upper(), HASH),
        (f" {HASH}\n", HASH),
        (base64.b32encode(bytes.fromhex(HASH)).decode(), HASH),
        ("0" * 40, None),
        ("1220" + "ab" * 32, None),
        ("not-a-hash", None),
        (HASH[:-1], None),
        ("", None),
    ],
)
def test_infohashes_are_read_in_every_form(text: str, expected: str | None) -> None:
    assert parse_infohash(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        f"magnet:?xt=urn:btih:{HASH}&dn=x&tr={PUBLIC}",
        f"magnet:?xt=urn:btih:{HASH.upper()}&amp;dn=x&amp;tr={PUBLIC}",
        f"MAGNET:?tr={PUBLIC}&xt=urn:btmh:1220abcd&xt=urn:btih:{HASH}&ws=http://169.254.169.254/&x.pe=127.0.0.1:22",
    ],
)
def test_of_a_magnet_hash_and_trackers_are_read(text: str) -> None:
    assert parse_magnet(text) == Magnet(parse_infohash(HASH) or "", frozenset({PUBLIC}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["", "magnet:?dn=x", "http://lamps.example", f"magnet:?xt=urn:btih:{HASH}&dn=" + "x" * 20_000]
)
def test_what_is_no_magnet_is_none(text: str) -> None:
    assert parse_magnet(text) is None


def test_a_magnet_has_nothing_but_hash_name_and_trackers() -> None:
    infohash = parse_infohash(HASH)
    assert infohash is not None

    magnet = build_magnet(infohash, "Lamp & Tide", [PUBLIC])

    assert magnet == (
        f"magnet:?xt=urn:btih:{HASH}&dn=Lamp%20%26%20Tide&tr=udp%3A%2F%2Ftracker.lamps.example%3A1337%2Fannounce"
    )


@pytest.mark.parametrize(
    "url",
    [
        "udp://127.0.0.1:6969/announce",
        "http://[::1]/announce",
        "http://169.254.169.254/latest",
        "http://192.168.1.1/announce",
        "http://2130706433/announce",
        "http://0x7f.1/announce",
        "http://localhost/announce",
        "http://router.lan/announce",
        "http://intranet/announce",
        "ftp://tracker.lamps.example/announce",
        "javascript:alert(1)",
        "udp://tracker.lamps.example:99999/announce",
        "udp://tracker.lamps.example/a b",
        "udp://tracker.lamps.example/" + "a" * 400,
        "",
    ],
)
def test_trackers_that_could_do_harm_are_dropped(url: str) -> None:
    assert safe_trackers([url, PUBLIC], hosts=TrackerHosts.PUBLIC) == {PUBLIC}


def test_private_trackers_stay_where_they_are_allowed() -> None:
    local = "http://127.0.0.1:6969/announce"

    assert safe_trackers([local], hosts=TrackerHosts.ANY) == {local}


def test_trackers_are_few() -> None:
    many = [f"udp://tracker{n}.lamps.example:80/announce" for n in range(20_000)]

    assert len(safe_trackers(many, hosts=TrackerHosts.PUBLIC)) == 30


@given(st.text(alphabet=string.printable, max_size=40))
def test_any_host_is_public_or_not(host: str) -> None:
    assert is_public_host(host) in (True, False)


def test_the_infohash_of_a_torrent_is_that_of_its_raw_info() -> None:
    data = b"d8:announce41:" + PUBLIC.encode() + b"4:info" + INFO + b"e"

    assert read_metainfo(data).infohash == hashlib.sha1(INFO).hexdigest()
    assert read_metainfo(data).trackers == {PUBLIC}


def test_trackers_of_all_tiers_are_read() -> None:
    data = b"d13:announce-listll2:aael2:bbei5ee4:info" + INFO + b"e"

    assert read_metainfo(data).trackers == {"aa", "bb"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<!doctype html><title>Login</title>",
        b"d4:info" + INFO,
        b"d4:info" + INFO + b"e trailing",
        b"d4:infod6:lengthi5eee",
        b"d4:info4:lampe",
        b"d4:infod6:pieces999:abcee",
        b"d4:infod6:lengthi05e6:pieces0:ee",
        b"d4:infod6:lengthi--5e6:pieces0:ee",
        b"l" * 100_000,
        b"d1:a" * 100_000,
        b"99999999999999999999999:",
        b"i" + b"9" * 100_000 + b"e",
    ],
)
def test_what_is_no_torrent_is_refused(data: bytes) -> None:
    with pytest.raises(NotATorrentError):
        read_metainfo(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_torrent_or_refused(data: bytes) -> None:
    with pytest.raises(NotATorrentError):
        read_metainfo(data)
