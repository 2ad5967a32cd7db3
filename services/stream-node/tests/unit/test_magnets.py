from urllib.parse import parse_qsl, quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vod_stream_node.domain import Infohash
from vod_stream_node.errors import MagnetInvalid
from vod_stream_node.magnets import Reach, rebuild

HASH = Infohash("0123456789abcdef0123456789abcdef01234567")
GOOD = "udp://tracker.example.org:6969/announce"


def magnet(**parameters: str) -> str:
    pairs = {"xt": f"urn:btih:{HASH}"} | parameters
    return "magnet:?" + "&".join(f"{key.replace('_', '.')}={quote(value, safe='')}" for key, value in pairs.items())


def parts(text: str) -> list[tuple[str, str]]:
    return parse_qsl(text.removeprefix("magnet:?"))


def test_name_and_public_trackers_survive() -> None:
    rebuilt = rebuild(magnet(dn="A Name & more", tr=GOOD), HASH, reach=Reach.PUBLIC)

    assert [("xt", f"urn:btih:{HASH}"), ("dn", "A Name & more"), ("tr", GOOD)] == parts(rebuilt)


def test_web_seeds_and_where_the_torrent_is_survive_where_they_are_public() -> None:
    public = magnet(ws="https://lamps.example/files/", xs="https://lamps.example/a.torrent")
    private = magnet(ws="http://10.0.0.1/files/", xs="http://10.0.0.1/a.torrent", xs_1="file:///a.torrent")

    assert parts(public) == parts(rebuild(public, HASH, reach=Reach.PUBLIC))
    assert [("xt", f"urn:btih:{HASH}")] == parts(rebuild(private, HASH, reach=Reach.PUBLIC))


def test_a_magnet_is_read_the_same_when_it_was_rebuilt() -> None:
    rebuilt = rebuild(magnet(dn="A", tr=GOOD, xs="https://lamps.example/a.torrent"), HASH, reach=Reach.PUBLIC)

    assert rebuilt == rebuild(rebuilt, HASH, reach=Reach.PUBLIC)


def test_peers_and_file_choices_do_not() -> None:
    given_magnet = magnet(x_pe="10.0.0.1:6881", so="0", kt="x", **{"as": "http://x/"})
    rebuilt = rebuild(given_magnet, HASH, reach=Reach.ANYWHERE)

    assert [("xt", f"urn:btih:{HASH}")] == parts(rebuilt)


@pytest.mark.parametrize(
    "tracker",
    [
        "http://127.0.0.1/announce",
        "http://[::1]:80/announce",
        "http://[::ffff:10.0.0.1]/announce",
        "http://localhost:8080/announce",
        "http://LOCALHOST./announce",
        "udp://tracker.localhost:1",
        "http://10.1.2.3/announce",
        "http://172.31.255.255/a",
        "http://192.168.1.1/a",
        "http://169.254.169.254/latest/meta-data",
        "http://100.64.0.1/a",
        "http://0.0.0.0/a",
        "http://2130706433/a",
        "http://0x7f000001/a",
        "http://0177.0.0.1/a",
        "http://127.1/a",
        "http://postgres:5432/a",
        "http://db.internal/a",
        "http://nas.lan/a",
        "http://user@127.0.0.1/a",
    ],
)
def test_trackers_inside_our_own_network_are_dropped_unless_allowed(tracker: str) -> None:
    public = rebuild(magnet(tr=tracker), HASH, reach=Reach.PUBLIC)
    anywhere = rebuild(magnet(tr=tracker), HASH, reach=Reach.ANYWHERE)

    assert [("xt", f"urn:btih:{HASH}")] == parts(public)
    assert ("tr", tracker) in parts(anywhere)


@pytest.mark.parametrize(
    "tracker", ["file:///etc/passwd", "gopher://x.org/", "http://", "http://x.org:99999/", "http://x.org/\n", "x" * 600]
)
def test_what_is_no_tracker_is_dropped(tracker: str) -> None:
    rebuilt = rebuild(magnet(tr=tracker), HASH, reach=Reach.ANYWHERE)

    assert [("xt", f"urn:btih:{HASH}")] == parts(rebuilt)


def test_the_infohash_may_be_in_base32() -> None:
    base32 = "AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH"

    rebuilt = rebuild(f"magnet:?xt=urn:btih:{base32}", HASH, reach=Reach.PUBLIC)

    assert f"magnet:?xt=urn:btih:{HASH}" == rebuilt


@pytest.mark.parametrize(
    "text",
    [
        "http://example.org/",
        "magnet:?dn=only-a-name",
        "magnet:?xt=urn:btih:" + "f" * 40,
        f"magnet:?xt=urn:btih:{HASH}&xt=urn:btih:" + "f" * 40,
        f"magnet:?xt=urn:btih:{HASH}" + "&tr=x" * 300,
        f"magnet:?xt=urn:btih:{HASH}&dn=" + "x" * 20_000,
    ],
)
def test_a_magnet_that_is_none_or_of_another_torrent_is_refused(text: str) -> None:
    with pytest.raises(MagnetInvalid):
        rebuild(text, HASH, reach=Reach.PUBLIC)


def test_without_a_magnet_the_infohash_alone_is_one() -> None:
    assert f"magnet:?xt=urn:btih:{HASH}" == rebuild("", HASH, reach=Reach.PUBLIC)


@given(junk=st.lists(st.tuples(st.sampled_from(["tr", "ws", "dn", "x.pe", "xs", "so", "tr.1"]), st.text(max_size=40))))
def test_whatever_is_in_a_magnet_only_safe_keys_come_out(junk: list[tuple[str, str]]) -> None:
    given_magnet = magnet() + "".join(f"&{key}={quote(value, safe='')}" for key, value in junk)

    rebuilt = parts(rebuild(given_magnet, HASH, reach=Reach.PUBLIC))

    assert rebuilt[0] == ("xt", f"urn:btih:{HASH}")
    assert {key for key, _ in rebuilt[1:]} <= {"dn", "tr", "ws", "xs"}
    assert all(value.isprintable() for _, value in rebuilt)
