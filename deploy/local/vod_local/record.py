"""run.json: what a running `vod up` tells the other commands. It contains no secret."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

RUN_FILE = "run.json"


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """One process group: its services and the address of its /livez, /readyz and /metrics (`unix:/path`)."""

    services: list[str]
    ops: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A running NovaStream."""

    pid: int
    address: str
    """Base URL of the public API."""
    stream_address: str
    demo: bool
    processes: dict[str, ProcessRecord] = field(default_factory=dict)
    servers: dict[str, str] = field(default_factory=dict)
    """postgres, redis, nats: `embedded`, or the name of the variable they come from."""
    redis_address: str | None = None
    """`host:port` or `unix:/path` of a Redis that is not ours, so that `vod status` can ask whether it is there."""


def write_record(data: Path, record: RunRecord) -> None:
    """Replace run.json in one step: a reader never sees half of it."""
    unfinished = data / f"{RUN_FILE}.unfinished"
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(asdict(record), indent=2) + "\n")
    unfinished.replace(data / RUN_FILE)


def read_record(data: Path) -> RunRecord | None:
    """Give the record, or None when there is none or it was written by another version."""
    try:
        values = json.loads((data / RUN_FILE).read_text())
        values["processes"] = {name: ProcessRecord(**process) for name, process in values["processes"].items()}
        return RunRecord(**values)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def remove_record(data: Path) -> None:
    """Remove run.json."""
    (data / RUN_FILE).unlink(missing_ok=True)
