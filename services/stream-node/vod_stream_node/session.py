"""The settings of the libtorrent session: tuned for a viewer who waits, and closed towards our own network."""

from dataclasses import dataclass, field
from typing import Any

import libtorrent as lt

from vod_stream_node.magnets import PRIVATE_NETWORKS, Reach
from vod_stream_node.network import Network

MAX_PIECES = 1 << 18
"""A terabyte in pieces of 4 MiB; torrents with more are refused."""


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """How the session reaches other peers."""

    listen: str
    """libtorrent's `listen_interfaces`, for example `0.0.0.0:6881,[::]:6881`."""
    reach: Reach
    network: Network = field(default_factory=Network)
    express: bool = True
    """Whether what a viewer waits for is fetched over connections of our own (`lane/`)."""


_STREAMING: dict[str, Any] = {
    # One peer must not take a whole piece for itself: 2.6 s instead of 0.3 s with peers of 400 KB/s.
    "whole_pieces_threshold": 0,
    # Windows are made of priorities, so "all that is wanted is here" comes often and must not lose the swarm; this
    # also keeps us from telling seeds that we only upload, on which they would hang up.
    "close_redundant_connections": False,
    # A late block is given up early; the defaults (60 s, 20 s) are for downloads that nobody watches.
    "request_timeout": 3,
    "piece_timeout": 2,
    "request_queue_time": 1,
    "min_reconnect_time": 2,
    # uTP gives way to all other traffic, and a lost packet costs it a second; peers that only come by uTP may.
    "enable_outgoing_utp": False,
    "mixed_mode_algorithm": int(lt.bandwidth_mixed_algo_t.prefer_tcp),
    # One after the other, each dead tracker costs 10 s (UDP) or 30 s (HTTP) before the next one is asked.
    "announce_to_all_trackers": True,
    "announce_to_all_tiers": True,
    "torrent_connect_boost": 50,
    "connection_speed": 100,
    "smooth_connects": False,
    "strict_end_game_mode": False,
    "prioritize_partial_pieces": False,
    "initial_picker_threshold": 0,
    # A web seed answers one request after the other, so a jump waits for the end of what was asked before it: 4 s with
    # the default of 16 MiB at 4 MB/s.
    "urlseed_max_request_bytes": 1 << 20,
    "max_out_request_queue": 1000,
    "max_allowed_in_request_queue": 2000,
}

_SAFETY: dict[str, Any] = {
    "validate_https_trackers": True,
    "apply_ip_filter_to_trackers": True,
    "allow_idna": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "max_metadata_size": 10 << 20,
    "max_piece_count": MAX_PIECES,
}

_DISK = "mmap_disk_io_constructor"
"""Which of libtorrent's ways to the disk is taken; why, `docs/adr/0013` says."""

_DISK_SETTINGS: dict[str, Any] = {
    "aio_threads": 4,
    # No file is mapped, however large. What is written by way of a map counts as data (`stored.py`) before its bytes
    # are there, and where the disk is full or a file was cut, a map raises a signal instead of an error.
    "mmap_file_size_cutoff": (1 << 31) - 1,
}

_ALERTS = (
    lt.alert.category_t.status_notification
    | lt.alert.category_t.storage_notification
    | lt.alert.category_t.piece_progress_notification
    | lt.alert.category_t.error_notification
    | lt.alert.category_t.tracker_notification
    | lt.alert.category_t.connect_notification
    | lt.alert.category_t.peer_notification
)


def new_session(config: SessionConfig, waker: int) -> Any:
    """Make a session that writes a byte to the file descriptor *waker* when it has alerts; blocks for a moment."""
    anywhere = config.reach is Reach.ANYWHERE
    settings: Any = {
        **_STREAMING,
        **_SAFETY,
        # On one machine all peers have one address.
        "allow_multiple_connections_per_ip": anywhere,
        "ssrf_mitigation": not anywhere,
        "listen_interfaces": config.listen,
        **config.network.settings(),
        "alert_mask": _ALERTS,
        # Alerts wait for the loop's next turn; a torrent of 20,000 pieces that is loaded makes as many at once.
        "alert_queue_size": 100_000,
        "stop_tracker_timeout": 1,
        **_DISK_SETTINGS,
    }
    params = lt.session_params(settings)
    params.disk_io_constructor = _DISK
    session = lt.session(params)
    session.set_alert_fd(waker)
    ip_filter = lt.ip_filter()
    for first, last in config.network.blocked:
        ip_filter.add_rule(str(first), str(last), 1)
    for network in () if anywhere else PRIVATE_NETWORKS:
        ip_filter.add_rule(str(network[0]), str(network[-1]), 1)
    session.set_ip_filter(ip_filter)
    return session
