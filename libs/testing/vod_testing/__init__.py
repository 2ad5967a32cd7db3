"""What the tests of several services share: real servers, readable spans, a clock to move, waiting without sleeping."""

from vod_testing.clocks import MovableClock
from vod_testing.eventually import eventually
from vod_testing.publishing import publish, publish_raw
from vod_testing.relays import Relay, relayed
from vod_testing.schema import migrate_schema
from vod_testing.traces import Edge, rpc_edges

__all__ = [
    "Edge",
    "MovableClock",
    "Relay",
    "eventually",
    "migrate_schema",
    "publish",
    "publish_raw",
    "relayed",
    "rpc_edges",
]
