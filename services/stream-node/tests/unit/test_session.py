import os
from ipaddress import ip_address
from pathlib import Path

import libtorrent as lt
import pytest

from vod_stream_node.magnets import Reach
from vod_stream_node.network import Encryption, Network, Proxy, read_filter, read_proxy
from vod_stream_node.session import SessionConfig, new_session
from vod_stream_node.settings import Settings


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
