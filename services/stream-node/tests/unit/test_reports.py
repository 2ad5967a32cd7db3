"""What is told of pins, in the log and in metrics."""

from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from vod_stream_node.domain import Claim, Infohash, PinKey, PinState, PinStatus, Purpose, Stats, Viewing
from vod_stream_node.metrics import Metrics
from vod_stream_node.reports import Reports

HOUR = timedelta(hours=1)
ONE, TWO = Infohash("1" * 40), Infohash("2" * 40)


def pin(
    infohash: Infohash, *, index: int = 0, state: PinState = PinState.READY, readers: int = 1, ahead: int = 0
) -> PinStatus:
    claim = Claim(Purpose.CURRENT, expires_at=datetime.now(UTC) + HOUR, ttl=HOUR)
    return PinStatus(
        key=PinKey(infohash, index),
        state=state,
        file=None,
        downloaded_bytes=0,
        stats=Stats(peers=3, download_rate=2_000, upload_rate=500, distinct_copies=1.25),
        viewing=Viewing(
            readers=readers, buffered_bytes=ahead, media_rate=1_000.0 if ahead else None, window_pieces=7, stalls=2
        ),
        claims={"session-2": claim, "session-1": claim},
    )


async def reported(*pins: PinStatus) -> tuple[list[dict[str, object]], CollectorRegistry]:
    registry = CollectorRegistry()

    async def look() -> list[PinStatus]:
        return list(pins)

    with capture_logs() as told:
        await Reports(look, metrics=Metrics(registry), log=structlog.get_logger()).report()
    return [dict(line) for line in told], registry


async def test_each_pin_that_somebody_waits_for_is_a_line_with_all_that_his_session_has_of_it() -> None:
    told, _ = await reported(pin(ONE, ahead=45_000))

    assert told == [
        {
            "event": "pin_stats",
            "log_level": "info",
            "infohash": "1" * 12,
            "file_index": 0,
            "holders": "session-1,session-2",
            "state": "ready",
            "readers": 1,
            "peers": 3,
            "distinct_copies": 1.25,
            "download_rate": 2_000,
            "upload_rate": 500,
            "window_pieces": 7,
            "buffered_bytes": 45_000,
            "buffered_seconds": 45.0,
            "stalls": 2,
        }
    ]


async def test_what_is_complete_and_not_read_is_no_news() -> None:
    told, _ = await reported(pin(ONE, state=PinState.COMPLETE, readers=0), pin(TWO))

    assert [(line["infohash"], line["buffered_seconds"]) for line in told] == [("2" * 12, None)]


async def test_metrics_count_a_torrent_once_and_name_the_viewer_who_has_the_least() -> None:
    _, registry = await reported(pin(ONE, ahead=45_000), pin(ONE, index=1, ahead=9_000), pin(TWO))

    names = [
        "vod_stream_peers",
        "vod_stream_window_pieces",
        "vod_stream_buffered_seconds_least",
        "vod_stream_distinct_copies_least",
    ]
    rates = [
        registry.get_sample_value("vod_stream_swarm_bytes_per_second", {"direction": way}) for way in ("down", "up")
    ]
    assert [registry.get_sample_value(name) for name in names] == [6, 14, 9, 1.25]
    assert rates == [4_000, 1_000]
