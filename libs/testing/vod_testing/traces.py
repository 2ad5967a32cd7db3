"""What spans tell: who called whom."""

from collections.abc import Iterable
from typing import NamedTuple

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind


class Edge(NamedTuple):
    """One service called another's method."""

    caller: str
    callee: str
    method: str


def rpc_edges(spans: Iterable[ReadableSpan]) -> list[Edge]:
    """Return an edge per RPC served, in order of start: server spans whose parent is a span of another service."""
    known = {span.context.span_id: span for span in spans if span.context}
    edges = []
    for span in sorted(known.values(), key=lambda one: one.start_time or 0):
        parent = known.get(span.parent.span_id) if span.parent else None
        if parent is not None and span.kind is SpanKind.SERVER and _service(parent) != _service(span):
            edges.append(Edge(_service(parent), _service(span), span.name))
    return edges


def _service(span: ReadableSpan) -> str:
    return str(span.resource.attributes["service.name"])
