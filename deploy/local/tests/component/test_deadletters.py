"""`vod deadletters` on a real NATS."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from vod.playback.v1.events_pb2 import EpisodeEnded

from vod_events import Bus, event_bus
from vod_local.deadletters import DeadLetterOptions, nats_url, run
from vod_local.errors import BadConfiguration, NotRunning
from vod_local.record import ProcessRecord, RunRecord
from vod_local.servers import embedded_nats
from vod_runtime import Runtime
from vod_testing import publish_raw

SUBJECT = "playback.v1.episode-ended.one"


async def put_aside(bus: Bus, *payloads: bytes) -> None:
    headers = {"vod-event": "vod.playback.v1.EpisodeEnded", "vod-consumer": "prefetch-episode-ended"}
    for number, payload in enumerate(payloads):
        await publish_raw(bus, f"dead-letter.{SUBJECT}", payload, headers, message_id=f"dead:{number}")


async def test_letters_are_listed_shown_and_sent_again(
    nats_url: str, runtime: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    async with event_bus(SecretStr(nats_url), runtime) as bus:
        await put_aside(bus, EpisodeEnded(session_id="one").SerializeToString(), b"\xff\xff")

        codes = [
            await run(DeadLetterOptions(None), bus),
            await run(DeadLetterOptions(None, show=1), bus),
            await run(DeadLetterOptions(None, show=2), bus),
            await run(DeadLetterOptions(None, show=3), bus),
            await run(DeadLetterOptions(None, replay=(1, 3)), bus),
            await run(DeadLetterOptions(None, replay_all=True), bus),
            await run(DeadLetterOptions(None), bus),
        ]
        told = (await bus.jetstream.stream_info("FACTS")).state.messages

    said = capsys.readouterr().out
    assert codes == [0, 0, 0, 7, 7, 0, 0]
    assert f"{SUBJECT}  not handled by prefetch-episode-ended" in said
    assert '"session_id": "one"' in said
    assert "2 bytes that are no vod.playback.v1.EpisodeEnded: ffff" in said
    assert "There is no dead letter 3." in said
    assert said.endswith("0 dead letters.\n")
    assert told == 2


async def test_a_nats_that_is_gone_is_said_in_a_sentence(nats_url: str, runtime: Runtime) -> None:
    async with event_bus(SecretStr(nats_url), runtime) as bus:
        pass  # and now it is closed

    with pytest.raises(NotRunning, match=r"NATS does not answer: .*Try again when it is back"):
        await run(DeadLetterOptions(None), bus)


async def test_the_embedded_nats_is_found_by_the_record_and_ones_own_by_its_variable(short_tmp: Path) -> None:
    processes = {"app": ProcessRecord(["picks"], f"unix:{short_tmp / 'run' / 'app.ops.sock'}")}
    embedded = RunRecord(1, "http://x", "http://y", False, processes, {"nats": "embedded"})
    given = RunRecord(1, "http://x", "http://y", False, processes, {"nats": "NATS_URL"})

    async with embedded_nats(short_tmp / "data", short_tmp / "run") as url:
        assert url == nats_url(embedded, {})
    assert nats_url(given, {"NATS_URL": "nats://mine"}) == "nats://mine"
    with pytest.raises(BadConfiguration, match="NATS_URL"):
        nats_url(given, {})
