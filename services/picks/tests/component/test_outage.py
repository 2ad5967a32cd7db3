"""Postgres is away: who asks may try again, and what happens meanwhile is acted on when it is back."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr
from vod.catalog.v1 import catalog_pb2
from vod.picks.v1 import picks_service_pb2 as pb2
from vod.scoring.v1 import scoring_pb2
from vod.stream.v1 import events_pb2 as stream_events

from vod_events import event_bus
from vod_rpc import Unavailable
from vod_runtime import Runtime
from vod_testing import eventually, publish, relayed

KEY = catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=3)
DEVICE = scoring_pb2.DeviceProfile(h264=True, max_height=1080)
ENSURE = pb2.EnsurePickRequest(key=KEY, device=DEVICE, profile_hash="p1")


async def test_a_stall_while_postgres_is_away_costs_the_pick_its_place_later(
    settings: Any, open_picks: Any, neighbours: Any, *, pg_dsn: str, nats_url: str, runtime: Runtime
) -> None:
    for digit in "ab":
        neighbours.offer_single(digit, 3)
    async with (
        relayed(pg_dsn) as (relay, dsn),
        open_picks(settings.model_copy(update={"pg_dsn": dsn})) as picks,
        event_bus(SecretStr(nats_url), runtime) as bus,
    ):
        first = (await picks.EnsurePick(ENSURE)).pick
        stalled = stream_events.PinStalled(infohash=first.infohash, file_index=first.file_index, node="n1", peers=2)
        stalled.stall_time.FromDatetime(datetime.now(UTC))

        relay.break_off()
        with pytest.raises(Unavailable):
            await picks.EnsurePick(ENSURE)
        await publish(bus, f"stream.v1.pin-stalled.{first.infohash}", stalled, message_id="stalled")

        async def why_not_tried() -> str | None:
            return None if relay.refused > 3 else f"refused {relay.refused} times"

        await eventually(why_not_tried, within=30)
        relay.cut = False

        async def why_not_replaced() -> str | None:
            try:
                found = (await picks.EnsurePick(ENSURE)).pick.infohash
            except Unavailable as failure:
                return str(failure)
            return None if found == "b" * 40 else f"{found} is in force"

        await eventually(why_not_replaced, within=30)
        heard = await bus.jetstream.consumer_info("FACTS", "picks-pin-stalled")
        letters = (await bus.jetstream.stream_info("DEAD_LETTERS")).state.messages

    assert heard.delivered.consumer_seq == 1
    assert letters == 0
