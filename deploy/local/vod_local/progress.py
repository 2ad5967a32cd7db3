"""Shows how a start goes on: a live table on a terminal, plain lines in a log."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol, TextIO

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table

from vod_local.errors import ProgramFailed


class Progress(Protocol):
    """Steps of the start, and what happens later. A step is a program or a piece of work."""

    def starting(self, name: str) -> None:
        """A step begins."""

    def note(self, name: str, text: str) -> None:
        """A step that takes long says where it is."""

    def ready(self, name: str) -> None:
        """A step is done."""

    def restarting(self, failure: ProgramFailed, pause: timedelta) -> None:
        """A program ended and gets another try after the pause."""

    def say(self, text: str) -> None:
        """Something for the person at the terminal."""


@contextmanager
def progress(out: TextIO = sys.stdout) -> Iterator[Progress]:
    """Give the display that fits the output."""
    if not out.isatty():
        yield PlainLines(out)
        return
    display = LiveTable(Console(file=out))
    try:
        yield display
    finally:
        display.close()


class PlainLines:
    """One line per event, each ends in a newline at once."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._began: dict[str, float] = {}
        self._notes: dict[str, str] = {}

    def starting(self, name: str) -> None:
        """Remember when it began; the line comes with the end."""
        self._began[name] = time.monotonic()

    def note(self, name: str, text: str) -> None:
        """Print the note, once."""
        if self._notes.get(name) != text:
            self._notes[name] = text
            self.say(f"  {name}: {text}")

    def ready(self, name: str) -> None:
        """Print the step with the time it took."""
        self.say(f"  {name} ready ({_took(self._began, name)})")

    def restarting(self, failure: ProgramFailed, pause: timedelta) -> None:
        """Print what happened and what comes."""
        self.say(_restart_text(failure, pause))

    def say(self, text: str) -> None:
        """Print the text."""
        print(text, file=self._out, flush=True)


class LiveTable:
    """A table that changes in place until everything is ready; later events are printed as lines."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began: dict[str, float] = {}
        self._rows: dict[str, str | None] = {}
        """Text of a finished step; None while it is under way."""
        self._notes: dict[str, str] = {}
        self._spinner = Spinner("dots")
        self._live: Live | None = None

    def starting(self, name: str) -> None:
        """Add or reset the row."""
        self._began[name] = time.monotonic()
        self._rows[name] = None
        if self._live is None:
            self._live = Live(get_renderable=self._table, console=self._console, refresh_per_second=8, transient=True)
            self._live.start()

    def note(self, name: str, text: str) -> None:
        """Show the note in the row."""
        self._notes[name] = text

    def ready(self, name: str) -> None:
        """Mark the row; with the last one the table becomes text, and nothing is redrawn any more."""
        self._rows[name] = _took(self._began, name)
        self._notes.pop(name, None)
        if None not in self._rows.values():
            self.close()

    def restarting(self, failure: ProgramFailed, pause: timedelta) -> None:
        """Print what happened and what comes."""
        self.say(_restart_text(failure, pause))

    def say(self, text: str) -> None:
        """Print the text above the table."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Leave the finished rows as text and stop redrawing."""
        if self._live is None:
            return
        self._live.stop()
        self._live = None
        for name, took in self._rows.items():
            if took is not None:
                self._console.print(f"[green]✓[/] {name} [dim]{took}[/]", highlight=False)
        self._rows.clear()

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 1))
        for name, took in self._rows.items():
            if took is None:
                table.add_row(self._spinner, name, f"[dim]{self._notes.get(name, '')}[/]")
            else:
                table.add_row("[green]✓[/]", name, f"[dim]{took}[/]")
        return table


def _took(began: dict[str, float], name: str) -> str:
    return f"{time.monotonic() - began.get(name, time.monotonic()):.1f} s"


def _restart_text(failure: ProgramFailed, pause: timedelta) -> str:
    return f"{failure}\nIt starts again in {pause.total_seconds():g} s."
