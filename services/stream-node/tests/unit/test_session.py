import os

import pytest

from vod_stream_node.magnets import Reach
from vod_stream_node.session import SessionConfig, new_session


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
        session = new_session(SessionConfig(listen="127.0.0.1:0", reach=reach, dht=False), waker)
        session.set_alert_fd(-1)
        assert session.get_settings()["apply_ip_filter_to_trackers"]
        return int(session.get_ip_filter().access(address))

    assert (blocked(Reach.PUBLIC), blocked(Reach.ANYWHERE)) == (public, anywhere)
    os.close(reading)
    os.close(waker)
