"""`make bench HARNESS=FOLDER`: the stream node and other torrent streamers, side by side in simulated swarms.

The harness is a folder of its own (`vodbench`: swarms, links with a rate and a latency, one driver per streamer) and no
part of this repository. It runs with a `.venv` of its own and makes its media (1.7 GB), both at the first run; one that
is not to be written into is copied to `build/` first.

Each line is measured for one streamer after the other, and printed as medians with the ratio of ours to the best of the
others: on a machine that does other things as well, only the ratio means much. Streamers that are not installed are
left out. `--gateway` measures the whole of NovaStream, through its gateway, instead of a stream node alone.
"""

import argparse
import json
import os
import secrets
import shlex
import shutil
import stat
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OURS = "vod"
HERE = Path(__file__).parent
COPY = HERE.parent.parent / "build" / "harness"


@dataclass(frozen=True, slots=True)
class Run:
    """One call of the harness, and the figures to print of it."""

    scenario: str
    what: str
    item: str
    figures: tuple[str, ...]
    more_is_better: bool = False
    piece_kib: int = 1024


RUNS = (
    Run("S2", "start", "mp4_fast", ("first_byte", "first_2mb", "seek50.first_byte", "seek90.first_byte")),
    Run("S2", "start", "mp4_fast", ("seek50.first_byte", "seek90.first_byte"), piece_kib=4096),
    Run("S2", "open", "mp4_end", ("frame",)),
    Run("S2", "open", "mkv", ("frame",)),
    Run("S2", "open", "season", ("frame",)),
    Run("S3", "start", "mp4_end", ("seek50.first_byte", "seek90.first_byte")),
    Run("S3", "open", "mp4_end", ("frame",)),
    Run("S4", "start", "mp4_end", ("first_byte", "seek50.first_byte")),
    Run("S4", "open", "mp4_end", ("frame",)),
    Run("S4", "play", "mp4_fast", ("startup", "stall_s")),
    Run("S5", "start", "mp4_end", ("first_2mb", "seek50.first_byte", "seek90.first_byte")),
    Run("S5", "open", "mp4_end", ("frame",)),
    Run("S5", "bulk", "mp4_fast", ("mb_s",), more_is_better=True),
)


@dataclass(frozen=True, slots=True)
class Harness:
    """A folder with `vodbench`, what runs it, and how NovaStream is started by it."""

    folder: Path
    python: str
    environment: Mapping[str, str]

    def results(self, run: Run, streamer: str, repetitions: int) -> list[Mapping[str, Any]]:
        """Measure one streamer; repetitions that failed have no figures."""
        with tempfile.NamedTemporaryFile() as found:
            command = [
                *(self.python, "-W", "ignore", "-m", "vodbench", "run", "--peer", streamer),
                *("--scenario", run.scenario, "--what", run.what, "--item", run.item),
                *("--piece-kib", str(run.piece_kib), "--reps", str(repetitions), "--results", found.name),
            ]
            environment = {**os.environ, **self.environment}
            subprocess.run(command, cwd=self.folder, env=environment, stdout=subprocess.DEVNULL, check=False)
            return [json.loads(line) for line in Path(found.name).read_text().splitlines()]

    def installed(self) -> list[str]:
        """Return the other streamers that can be run here."""
        modules = self.folder / "node" / "node_modules"
        found = ["lt-dl"]  # libtorrent as it is; the harness itself needs it
        found += [name for name in ("peerflix", "webtorrent") if (modules / name).is_dir()]
        binaries = {"torrserver": "TORRSERVER_BIN", "rqbit": "RQBIT_BIN"}
        return found + [name for name, variable in binaries.items() if shutil.which(os.environ.get(variable, ""))]


def writable(folder: Path) -> Path:
    """Return the harness, or a copy of it when it is not to be written into."""
    if folder.stat().st_mode & stat.S_IWUSR:  # also for root, who could
        return folder
    shutil.copytree(folder, COPY, dirs_exist_ok=True, symlinks=True, copy_function=shutil.copyfile)
    for one in (COPY, *COPY.rglob("*")):
        if one.is_dir() and not one.is_symlink():
            one.chmod(0o755)
    return COPY


def python_of(folder: Path) -> str:
    """Return the harness's own Python with all that it imports; make it if there is none."""
    local = folder / ".venv" / "bin" / "python"
    if not local.exists():
        subprocess.run([sys.executable, "-m", "venv", local.parents[1]], check=True)
        subprocess.run([local, "-m", "pip", "install", "-q", "-r", folder / "requirements.txt"], check=True)
    return str(local)


def median(measured: list[Mapping[str, Any]], figure: str, *, worst: float) -> float:
    """Return the median of a figure; a repetition without it counts as the worst."""
    values = [value if value is not None else worst for value in (_at(one, figure) for one in measured)]
    return statistics.median(values) if values else worst


def _at(measured: Any, figure: str) -> float | None:
    for key in figure.split("."):
        measured = measured.get(key) if isinstance(measured, dict) else None
    return measured if isinstance(measured, int | float) else None


def rows(harness: Harness, runs: Sequence[Run], repetitions: int) -> Iterator[str]:
    """Yield the rows of the table as they are measured."""
    others = harness.installed()
    yield f"| s, unless MB/s | {OURS} | {' | '.join(others)} | {OURS} / best other |"
    yield "|---" * (len(others) + 3) + "|"
    for run in runs:
        measured = {name: harness.results(run, name, repetitions) for name in (OURS, *others)}
        pieces = "" if run.piece_kib == 1024 else f", pieces of {run.piece_kib} KiB"
        for figure in run.figures:
            worst = 0.0 if run.more_is_better else float("inf")
            medians = {name: median(found, figure, worst=worst) for name, found in measured.items()}
            best = (max if run.more_is_better else min)(medians[name] for name in others)
            ratio = f"{medians[OURS] / best:.2f}" if 0 < best < float("inf") else "-"
            cells = " | ".join(_cell(medians[name], worst) for name in (OURS, *others))
            yield f"| {run.scenario} {run.item}{pieces}: {figure} | {cells} | {ratio} |"


def _cell(value: float, worst: float) -> str:
    return "failed" if value == worst and worst else f"{value:.2f}"


def launcher(folder: Path, *, gateway: bool) -> Mapping[str, str]:
    """Return the environment by which the harness starts NovaStream."""
    launch = folder / "launch.sh"
    ours = [str(HERE / "launch_vod.py")] if gateway else [str(HERE / "stream_api.py"), "--port", "8080", "--data"]
    data = "" if gateway else ' "$VOD_DIR"'
    launch.write_text(f"#!/bin/sh\nexec {shlex.join([sys.executable, *ours])}{data}\n")
    launch.chmod(0o700)
    return {
        "VOD_LAUNCH": shlex.quote(str(launch)),
        "VOD_BASE": "http://127.0.0.1:8080",
        "VOD_READY": "/v1/version" if gateway else "/readyz",
        "VOD_TOKEN": secrets.token_hex(16),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("harness", type=Path, help="the folder with the package vodbench")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--scenario", help="only this one: S1 to S5")
    parser.add_argument("--gateway", action="store_true", help="all of NovaStream instead of a stream node alone")
    arguments = parser.parse_args()
    runs = [run for run in RUNS if arguments.scenario in {None, run.scenario}]
    with tempfile.TemporaryDirectory(prefix="vod-bench-") as folder:
        environment = launcher(Path(folder), gateway=arguments.gateway)
        folder_used = writable(arguments.harness.resolve())
        harness = Harness(folder_used, python_of(folder_used), environment)
        for row in rows(harness, runs, arguments.repetitions):
            sys.stdout.write(f"{row}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
