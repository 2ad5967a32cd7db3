"""Events: protobuf messages over NATS JetStream, delivered at least once, written with the data they tell of."""

from vod_events.bus import Bus, Unconfirmed, event_bus
from vod_events.consumer import consumer
from vod_events.outbox import enqueue, relay

__all__ = ["Bus", "Unconfirmed", "consumer", "enqueue", "event_bus", "relay"]
