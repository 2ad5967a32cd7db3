"""What a service is given to live on: a logger, a tracer, metrics and a clock, and a host that starts and stops it."""

from vod_runtime.background import background
from vod_runtime.clock import Clock, SystemClock
from vod_runtime.durations import Duration
from vod_runtime.listening import stop_accepting
from vod_runtime.runtime import Check, Endpoint, Runtime, failing

__all__ = [
    "Check",
    "Clock",
    "Duration",
    "Endpoint",
    "Runtime",
    "SystemClock",
    "background",
    "failing",
    "stop_accepting",
]
