import asyncio
import os
import sys
from hashlib import sha1
from ipaddress import ip_address
from pathlib import Path

import libtorrent as lt
import pytest

from vod_stream_node.magnets import Reach
from vod_stream_node.network import Encryption, Network, Proxy, read_filter, read_proxy
from vod_stream_node.session import SessionConfig, new_session
from vod_stream_node.settings import Settings

# A session that torrents leave at once after they were given a piece: nothing is to be written, much to be hashed.
LEAVING = """
import hashlib, os, sys
from pathlib import Path
import libtorrent as lt
from vod_stream_node.magnets import Reach
from vod_stream_node.session import SessionConfig, new_session

piece = os.urandom(8 << 20)
info = {b"name": b"film", b"length": len(piece), b"piece length": len(piece), b"pieces": hashlib.sha1(piece).digest()}
session = new_session(SessionConfig(listen="127.0.0.1:0", reach=Reach.ANYWHERE), waker=-1)

def until(kind):
    while not any(isinstance(alert, kind) for alert in session.pop_alerts()):
        assert session.wait_for_alert(20_000), f"no {kind}"

for folder in (Path(sys.argv[1], str(number)) for number in range(6)):
    params = lt.load_torrent_buffer(lt.bencode({b"info": info}))
    params.save_path = str(folder)
    handle = session.add_torrent(params)
    until(lt.torrent_checked_alert)
    (folder / "film").mkdir(parents=True)
    handle.add_piece(0, piece, 0)
    session.remove_torrent(handle)
    until(lt.torrent_removed_alert)
os._exit(0)
"""


@pytest.mark.parametrize(
    ("address", "public", "anywhere"),
    [
        ("127.0.0.2", 1, 0),
        ("10.9.8.7", 1, 0),
        ("172.20.0.1", 1, 0),
        ("192.168.0.1", 1, 0),
        ("169.254.169.254", 1, 0),
        ("::1", 1, 0),
        ("fd00::1", 1, 0),
        ("fe80::1", 1, 0),
        ("::ffff:10.0.0.1", 1, 0),
        ("93.184.216.34", 0, 0),
        ("2606:2800::1", 0, 0),
    ],
)
def test_peers_and_trackers_in_private_networks_are_blocked_unless_allowed(
    address: str, public: int, anywhere: int
) -> None:
    reading, waker = os.pipe()

    def blocked(reach: Reach) -> int:
        session = new_session(SessionConfig(listen="127.0.0.1:0", reach=reach, network=Network(dht=False)), waker)
        session.set_alert_fd(-1)
        assert session.get_settings()["apply_ip_filter_to_trackers"]
        return int(session.get_ip_filter().access(address))

    assert (blocked(Reach.PUBLIC), blocked(Reach.ANYWHERE)) == (public, anywhere)
    os.close(reading)
    os.close(waker)


@pytest.mark.parametrize(
    ("text", "blocked", "free"),
    [
        ("9.9.0.0/16", "9.9.1.2", "9.10.0.0"),
        ("009.009.000.000 - 009.009.255.255 , 000 , Some company", "9.9.255.255", "9.10.0.0"),
        ("Some: company:9.9.0.0-9.9.255.255", "9.9.0.0", "9.8.255.255"),
        ("2a00::/16", "2a00::1", "2a01::1"),
        ("# nothing\n\n9.9.9.9\n", "9.9.9.9", "9.9.9.8"),
    ],
)
def test_an_ip_filter_is_read_in_the_forms_that_are_around(tmp_path: Path, text: str, blocked: str, free: str) -> None:
    (tmp_path / "list").write_text(text)
    ip_filter = lt.ip_filter()
    for first, last in read_filter(tmp_path / "list"):
        ip_filter.add_rule(str(first), str(last), 1)

    assert (ip_filter.access(blocked), ip_filter.access(free)) == (1, 0)


def test_what_emule_lists_with_a_high_level_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("009.009.000.000 - 009.009.255.255 , 200 , Friends")

    assert read_filter(tmp_path / "list") == ()


def test_a_filter_that_can_not_be_read_says_where(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("9.9.9.9\nrubbish\n")

    with pytest.raises(ValueError, match="line 2"):
        read_filter(tmp_path / "list")


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("", None),
        ("socks5://10.0.0.1:1080", Proxy("socks5", "10.0.0.1", 1080)),
        ("http://me:p%40ss@proxy.example:3128", Proxy("http", "proxy.example", 3128, "me", "p@ss")),
    ],
)
def test_a_proxy_is_a_url(url: str, proxy: Proxy | None) -> None:
    assert read_proxy(url) == proxy


@pytest.mark.parametrize("url", ["ftp://x:1", "socks5://x", "x:1080"])
def test_what_is_no_proxy_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="a proxy is"):
        read_proxy(url)


@pytest.mark.parametrize(
    ("network", "own"),
    [
        (Network(), True),
        (Network(upload_bytes_per_second=1000, encryption=Encryption.OFF, dht=False), True),
        (Network(encryption=Encryption.REQUIRE), False),
        (Network(proxy=Proxy("socks5", "10.0.0.1", 1080)), False),
        (Network(bind="10.8.0.2"), False),
        (Network(download_bytes_per_second=1000), False),
    ],
)
def test_nothing_connects_beside_libtorrent_that_would_not_do_as_the_owner_says(network: Network, own: bool) -> None:
    assert network.allows_own_connections == own


@pytest.mark.parametrize(
    ("given", "listen"),
    [
        ({}, "0.0.0.0:6881,[::]:6881"),
        ({"bind": "10.8.0.2"}, "10.8.0.2:6881"),
        ({"bind": "tun0, fd00::2"}, "tun0:6881,[fd00::2]:6881"),
        ({"bind": "10.8.0.2", "peer_listen": "10.8.0.3:7000"}, "10.8.0.3:7000"),
        ({"allow_private_peers": True}, "127.0.0.1:0"),
    ],
)
def test_trackers_are_asked_from_nowhere_else_than_where_the_owner_wants_to_go_out(
    given: dict[str, object], listen: str
) -> None:
    settings = Settings.model_validate({"secret_key": "s" * 16, "data_dir": "/nowhere", **given})

    assert settings.peer_interfaces == listen


@pytest.mark.parametrize(
    ("network", "asked"),
    [
        (Network(), ["udp://t.example:1", "http://t.example/announce"]),
        (Network(proxy=Proxy("socks5", "10.0.0.1", 1080)), ["udp://t.example:1", "http://t.example/announce"]),
        (Network(proxy=Proxy("http", "10.0.0.1", 3128)), ["http://t.example/announce"]),
    ],
)
def test_no_tracker_is_looked_up_beside_a_proxy_that_can_not_reach_it(network: Network, asked: list[str]) -> None:
    magnet = f"magnet:?xt=urn:btih:{'e' * 40}&tr=udp://t.example:1&tr=http://t.example/announce"

    assert network.narrow(lt.parse_magnet_uri(magnet)).trackers == asked


def test_what_the_owner_wants_reaches_the_session() -> None:
    reading, waker = os.pipe()
    span = (ip_address("9.9.0.0"), ip_address("9.9.255.255"))
    network = Network(
        bind="127.0.0.1",
        proxy=Proxy("socks5", "127.0.0.1", 9, "me", "secret"),
        encryption=Encryption.REQUIRE,
        dht=False,
        download_bytes_per_second=1000,
        upload_bytes_per_second=500,
        blocked=(span,),
    )
    session = new_session(SessionConfig(listen="127.0.0.1:0", reach=Reach.PUBLIC, network=network), waker)
    session.set_alert_fd(-1)
    given = session.get_settings()

    assert (given["outgoing_interfaces"], given["proxy_hostname"], given["proxy_port"]) == ("127.0.0.1", "127.0.0.1", 9)
    assert (given["out_enc_policy"], given["in_enc_policy"], given["allowed_enc_level"]) == (0, 0, 2)
    assert (given["download_rate_limit"], given["upload_rate_limit"], given["enable_dht"]) == (1000, 500, False)
    assert (session.get_ip_filter().access("9.9.9.9"), session.get_ip_filter().access("10.0.0.1")) == (1, 1)
    assert given["dht_bootstrap_nodes"] == ""
    assert "secret" not in repr(network)
    assert not network.allows_own_connections
    os.close(reading)
    os.close(waker)


async def test_a_torrent_may_leave_while_what_it_was_given_is_hashed(tmp_path: Path) -> None:
    node = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LEAVING, str(tmp_path), stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        _, said = await node.communicate()

    assert node.returncode == 0, said


def test_no_file_is_mapped_however_large(tmp_path: Path) -> None:
    piece = os.urandom(4 << 20)
    info = {b"name": b"film", b"length": len(piece), b"piece length": len(piece), b"pieces": sha1(piece).digest()}
    session = new_session(SessionConfig(listen="127.0.0.1:0", reach=Reach.ANYWHERE), waker=-1)
    params = lt.load_torrent_buffer(lt.bencode({b"info": info}))
    params.save_path = str(tmp_path)
    handle = session.add_torrent(params)

    def until(kind: type[lt.alert]) -> None:
        while not any(isinstance(alert, kind) for alert in session.pop_alerts()):
            assert session.wait_for_alert(20_000), f"no {kind}"

    until(lt.torrent_checked_alert)
    handle.add_piece(0, piece, 0)
    until(lt.piece_finished_alert)
    handle.read_piece(0)
    until(lt.read_piece_alert)

    assert "film" not in Path("/proc/self/maps").read_text()
    session.remove_torrent(handle)
    until(lt.torrent_removed_alert)
