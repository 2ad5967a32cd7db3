"""`make bench HARNESS=FOLDER`: the stream node and other torrent streamers, side by side in simulated swarms.

The harness is a folder of its own (`vodbench`: swarms, links with a rate and a latency, one driver per streamer) and no
part of this repository. Each line is measured for one streamer after the other, and printed as medians with the ratio
of ours to the best of the others: on a machine that does other things as well, only the ratio means much.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OURS = "vod"
OTHERS = ("lt-dl", "peerflix", "webtorrent")
STREAM_API = Path(__file__).with_name("stream_api.py")


@dataclass(frozen=True, slots=True)
class Run:
    """One call of the harness, and the figures to print of it."""

    scenario: str
    what: str
    item: str
    figures: tuple[str, ...]
    more_is_better: bool = False


RUNS = (
    Run("S2", "start", "mp4_fast", ("first_byte", "first_2mb", "seek50.first_byte", "seek90.first_byte")),
    Run("S2", "open", "mp4_end", ("frame",)),
    Run("S2", "open", "mkv", ("frame",)),
    Run("S3", "open", "mp4_end", ("frame",)),
    Run("S4", "start", "mp4_fast", ("first_byte", "seek50.first_byte")),
    Run("S4", "open", "mp4_end", ("frame",)),
    Run("S5", "start", "mp4_fast", ("first_2mb", "seek50.first_byte")),
    Run("S5", "open", "mp4_end", ("frame",)),
    Run("S5", "bulk", "mp4_fast", ("mb_s",), more_is_better=True),
)


def results(harness: Path, run: Run, streamer: str, repetitions: int) -> list[Mapping[str, Any]]:
    """Measure one streamer; repetitions that failed have no figures."""
    local = harness / ".venv" / "bin" / "python"
    with tempfile.TemporaryDirectory() as folder:
        launch = Path(folder) / "launch.sh"
        launch.write_text(f'#!/bin/sh\nexec {sys.executable} {STREAM_API} --data "$VOD_DIR" --port 8080\n')
        launch.chmod(0o700)
        found = Path(folder) / "results.jsonl"
        found.touch()
        subprocess.run(
            [
                *(str(local) if local.exists() else sys.executable, "-m", "vodbench", "run", "--peer", streamer),
                *("--scenario", run.scenario, "--what", run.what, "--item", run.item),
                *("--reps", str(repetitions), "--results", str(found)),
            ],
            cwd=harness,
            env={**os.environ, "VOD_LAUNCH": shlex.quote(str(launch)), "VOD_BASE": "http://127.0.0.1:8080"},
            stdout=subprocess.DEVNULL,
            check=False,
        )
        return [json.loads(line) for line in found.read_text().splitlines()]


def median(measured: list[Mapping[str, Any]], figure: str, *, worst: float) -> float:
    """Return the median of a figure; a repetition without it counts as the worst."""
    values = [value if value is not None else worst for value in (_at(one, figure) for one in measured)]
    return statistics.median(values) if values else worst


def _at(measured: Any, figure: str) -> float | None:
    for key in figure.split("."):
        measured = measured.get(key) if isinstance(measured, dict) else None
    return measured if isinstance(measured, int | float) else None


def rows(harness: Path, repetitions: int) -> Iterator[str]:
    """Yield the rows of the table as they are measured."""
    yield f"| | {OURS} | {' | '.join(OTHERS)} | {OURS} / best other |"
    yield "|---" * (len(OTHERS) + 3) + "|"
    for run in RUNS:
        measured = {name: results(harness, run, name, repetitions) for name in (OURS, *OTHERS)}
        for figure in run.figures:
            worst = 0.0 if run.more_is_better else float("inf")
            medians = {name: median(found, figure, worst=worst) for name, found in measured.items()}
            others = [medians[name] for name in OTHERS]
            best = max(others) if run.more_is_better else min(others)
            ratio = medians[OURS] / best if 0 < best < float("inf") else float("nan")
            cells = " | ".join(f"{medians[name]:.2f}" for name in (OURS, *OTHERS))
            yield f"| {run.scenario} {run.item} {figure} | {cells} | {ratio:.2f} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("harness", type=Path, help="the folder with the package vodbench")
    parser.add_argument("--repetitions", type=int, default=3)
    arguments = parser.parse_args()
    for row in rows(arguments.harness.resolve(), arguments.repetitions):
        sys.stdout.write(f"{row}\n")
        sys.stdout.flush()
