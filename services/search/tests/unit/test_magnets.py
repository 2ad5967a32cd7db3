"""Infohashes and magnets: what is read, and what is never handed on."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vod_search.bencode import NotATorrentError, read_metainfo
from vod_search.domain import Hashes, Infohash
from vod_search.magnets import (
    Magnet,
    TrackerHosts,
    build_magnet,
    has_web_seeds,
    parse_hashes,
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
        ("not-a-hash", None),
        (HASH[:-1], None),
        ("", None),
    ],
)
def test_infohashes_are_read_in_every_form(text: str, expected: str | None) -> None:
    found = parse_hashes(text)

    assert (found and found.infohash) == expected


@pytest.mark.parametrize("text", ["1220" + "ab" * 32, "btmh:1220" + "AB" * 32, "urn:btmh:1220" + "ab" * 32])
def test_a_v2_torrent_goes_by_the_beginning_of_its_hash(text: str) -> None:
    assert parse_hashes(text) == Hashes(Infohash("ab" * 20), v2="ab" * 32)


@pytest.mark.parametrize(
    "text",
    [
        f"magnet:?xt=urn:btih:{HASH}&dn=x&tr={PUBLIC}",
        f"magnet:?xt=urn:btih:{HASH.upper()}&amp;dn=x&amp;tr={PUBLIC}",
        f"MAGNET:?tr={PUBLIC}&xt=urn:btmh:1220abcd&xt=urn:btih:{HASH}&ws=http://169.254.169.254/&x.pe=127.0.0.1:22",
    ],
)
def test_of_a_magnet_hash_and_trackers_are_read(text: str) -> None:
    found = parse_magnet(text)

    assert found
    assert (found.hashes, found.trackers) == (Hashes(Infohash(HASH)), {PUBLIC})


def test_a_magnet_of_both_kinds_goes_by_its_v1_hash_and_one_of_v2_alone_by_that() -> None:
    v2 = "urn:btmh:1220" + "ab" * 32
    both = parse_magnet(f"magnet:?xt={v2}&xt=urn:btih:{HASH}&ws=https://lamps.example/files/")

    assert both == Magnet(Hashes(Infohash(HASH)), web_seeds=frozenset({"https://lamps.example/files/"}))
    assert parse_magnet(f"magnet:?xt={v2}") == Magnet(Hashes(Infohash("ab" * 20), v2="ab" * 32))


@pytest.mark.parametrize(
    "text", ["", "magnet:?dn=x", "http://lamps.example", f"magnet:?xt=urn:btih:{HASH}&dn=" + "x" * 20_000]
)
def test_what_is_no_magnet_is_none(text: str) -> None:
    assert parse_magnet(text) is None


def test_a_magnet_has_nothing_but_hash_name_and_trackers() -> None:
    magnet = build_magnet(Hashes(Infohash(HASH)), "Lamp & Tide", [PUBLIC])

    assert magnet == (
        f"magnet:?xt=urn:btih:{HASH}&dn=Lamp%20%26%20Tide&tr=udp%3A%2F%2Ftracker.lamps.example%3A1337%2Fannounce"
    )


def test_a_magnet_of_a_v2_torrent_has_its_multihash() -> None:
    assert build_magnet(Hashes(Infohash("ab" * 20), "ab" * 32), "x", []) == f"magnet:?xt=urn:btmh:1220{'ab' * 32}&dn=x"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://lamps.example/files/", True),
        ("http://169.254.169.254/", False),
        ("ftp://lamps.example/files/", False),
        ("", False),
    ],
)
def test_web_seeds_count_where_they_are_public(url: str, *, expected: bool) -> None:
    assert has_web_seeds([url], hosts=TrackerHosts.PUBLIC) is expected


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


def test_the_infohash_of_a_torrent_is_that_of_its_raw_info() -> None:
    data = b"d8:announce41:" + PUBLIC.encode() + b"4:info" + INFO + b"e"

    assert read_metainfo(data).hashes.infohash == hashlib.sha1(INFO).hexdigest()
    assert read_metainfo(data).trackers == {PUBLIC}


def test_a_v2_torrent_has_the_sha_256_of_its_raw_info() -> None:
    info = b"d9:file treede12:meta versioni2e4:name4:lamp12:piece lengthi16384ee"

    assert read_metainfo(b"d4:info" + info + b"e").hashes.v2 == hashlib.sha256(info).hexdigest()


@pytest.mark.parametrize("seeds", [b"8:url-list5:http:", b"8:url-listl5:http:e"])
def test_web_seeds_are_one_or_a_list(seeds: bytes) -> None:
    assert read_metainfo(b"d4:info" + INFO + seeds + b"e").web_seeds == {"http:"}


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
