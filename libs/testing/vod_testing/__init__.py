"""What the tests of several services share: real servers, spans that can be read, waiting without sleeping."""

from vod_testing.eventually import eventually
from vod_testing.schema import migrate_schema
from vod_testing.traces import Edge, rpc_edges

__all__ = ["Edge", "eventually", "migrate_schema", "rpc_edges"]
