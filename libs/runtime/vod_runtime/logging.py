"""Structured logs: JSON lines, or coloured text on a terminal; secrets are cut out last."""

import logging
import re
import sys
from typing import TextIO

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

REDACTED = "[redacted]"

_SECRETS = re.compile(
    r"""magnet:\?\S+                          # magnets: they may carry a tracker's passkey
      | (?<=/stream/)[^/\s]+/[^/\s]+          # signed stream URLs: node and token
      | (?<=apikey=)[^&\s"']+ | (?<=api_key=)[^&\s"']+
      | (?<=://)[^/\s:@]+:[^/\s@]+(?=@)       # user and password in a DSN
      | (?<=Bearer\ )\S+""",
    re.VERBOSE | re.IGNORECASE,
)
_SECRET_KEYS = re.compile(r"magnet|token|password|secret|cookie|authorization|api_?key|stream_url", re.IGNORECASE)


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Cut secrets out of a log event, by the name of the key and by the look of the value."""
    for key, value in event.items():
        if _SECRET_KEYS.search(key):
            event[key] = REDACTED
        elif isinstance(value, str):
            event[key] = _SECRETS.sub(REDACTED, value)
        elif not isinstance(value, int | float | bool | type(None)):
            event[key] = _SECRETS.sub(REDACTED, str(value))
    return event


def _trace_id(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = format(context.trace_id, "032x")
    return event


def logger(service: str, *, level: str = "INFO", out: TextIO | None = None) -> FilteringBoundLogger:
    """Return a logger whose lines carry `service=`."""
    out = out or sys.stderr
    renderer = structlog.dev.ConsoleRenderer() if out.isatty() else structlog.processors.JSONRenderer()
    log: FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(out),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _trace_id,
            structlog.processors.format_exc_info,
            redact,
            renderer,
        ],
    )
    return log.bind(service=service)


def quiet_libraries() -> None:
    """Let third-party loggers speak only from WARNING on, one line each, through the same redaction."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger().addFilter(_redact_record)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_redact_record)


def _redact_record(record: logging.LogRecord) -> bool:
    record.msg, record.args = _SECRETS.sub(REDACTED, record.getMessage()), None
    return True
