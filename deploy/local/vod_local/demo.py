"""The demo: a made-up library in a real swarm on this machine, instead of TMDb, Jikan, Prowlarr and OpenSubtitles."""

import asyncio
import json
import sys
from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from vod_local.process import Program, tail

NAME = "demo"
TITLE = "Harbor Lights"
UPSTREAMS = ("TMDB_KEY", "PROWLARR_URL", "VOD_TORZNAB_URLS", "VOD_STREMIO_ADDONS")
"""With none of them there is nothing to show or to play."""
EXPLANATION = [
    "  This is the demo: a made-up library, seeded from this machine by a real BitTorrent client.",
    "  For your own: set TMDB_KEY, PROWLARR_URL, PROWLARR_KEY (and OS_KEY for subtitles) and start again.",
    "",
]
FIRST_START = timedelta(minutes=5)
"""Making the library takes seconds; minutes on a very slow machine."""
PROBE_SECONDS = 1.0


class Choice(Enum):
    """Whether to run the demo."""

    AUTOMATIC = "automatic"
    DEMO = "demo"
    REAL = "real"


class Display(Protocol):
    """Shows how far the library is."""

    def note(self, name: str, text: str) -> None:
        """A step that takes long says where it is."""


def is_wanted(choice: Choice, environ: Mapping[str, str]) -> bool:
    """Tell whether this run is the demo: as chosen, else when no upstream is configured."""
    if choice is Choice.AUTOMATIC:
        return not any(environ.get(name) for name in UPSTREAMS)
    return choice is Choice.DEMO


def world(data: Path, log: Path, display: Display) -> Program:
    """Give the process with the fakes, the tracker and the seeder; the library is made on the first start."""
    folder = data / "demo"
    folder.mkdir(exist_ok=True, mode=0o700)
    addresses = _addresses(data)
    addresses.unlink(missing_ok=True)
    log.unlink(missing_ok=True)

    async def answers() -> None:
        if not addresses.exists():
            if progress := latest_progress(tail(log)):
                display.note(NAME, progress)
            raise ConnectionError("the library is still being made")
        tmdb = urlsplit(environment(data)["VOD_TMDB_BASE"])
        async with asyncio.timeout(PROBE_SECONDS):
            _, writer = await asyncio.open_connection(tmdb.hostname, tmdb.port)
            writer.close()

    return Program(
        name=NAME,
        argv=(sys.executable, "-m", "vod_fakes", "--folder", str(folder), "--ready-file", str(addresses)),
        log=log,
        probe=answers,
        ready_within=FIRST_START,
    )


def environment(data: Path) -> dict[str, str]:
    """Give the variables that point at the running demo."""
    variables: dict[str, str] = json.loads(_addresses(data).read_text())["environment"]
    return variables


def replaced(environ: Mapping[str, str], told: Mapping[str, str]) -> list[str]:
    """Give the names of the user's variables that the demo's own (`told`) replace."""
    return [name for name, value in told.items() if environ.get(name) not in {None, "", value}]


def latest_progress(log: str) -> str | None:
    """Read from the last lines of the log how far the library is: `7/14 Harbor Lights S1E3`."""
    for line in reversed(log.splitlines()):
        try:
            content = json.loads(line).get("progress")
        except (ValueError, AttributeError):
            continue
        if content:
            return "making the library: {done}/{total} {name}".format_map(content)
    return None


def _addresses(data: Path) -> Path:
    return data / "demo" / "addresses.json"
