"""What was told: the facts in NATS, counted by subject."""

import nats
from outages import Outage


async def told(bus: Outage, kind: str) -> dict[str, int]:
    """Return how often a kind of fact (`playback.v1.episode-ended`) was told about whom."""
    client = await nats.connect(bus.server.url, connect_timeout=5)
    try:
        info = await client.jetstream().stream_info("FACTS", subjects_filter=f"{kind}.>")
        return {subject.rpartition(".")[2]: count for subject, count in (info.state.subjects or {}).items()}
    finally:
        await client.close()
