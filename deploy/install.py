"""Install NovaStream into .venv, as far as something changed since the last time.

Runs with nothing but a Python: third-party packages by hash with pip, then our own in one go, editable.
usage: python3 deploy/install.py [--venv FOLDER]
"""

# ruff: noqa: S603, T201
import sys

if sys.version_info < (3, 11):  # noqa: UP036  an old Python must get as far as this sentence
    sys.exit("NovaStream needs Python 3.11 or newer; this one is older. Try: make PYTHON=/path/to/python3.11")

import argparse
import hashlib
import os
import re
import subprocess
import time
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "deploy" / "requirements" / "all.txt"
PINNED = re.compile(r"^[a-z0-9][a-z0-9._-]*==", re.MULTILINE)
COLLECTED = re.compile(r"Collecting (?P<name>[A-Za-z0-9._-]+)")


def main() -> None:
    """Bring the virtual environment up to date; say what is being done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv")
    venv: Path = parser.parse_args().venv.resolve()
    python = venv / "bin" / "python"
    if not _is_usable(python):
        _make_venv(venv)
    ours = own_distributions()
    _once("third-party packages", venv / ".third-party", [REQUIREMENTS], lambda: _install_pinned(python))
    _once("NovaStream's own packages", venv / ".own", _sources(ours), lambda: _install_own(venv, ours))


def own_distributions() -> list[Path]:
    """Give the folders of our distributions, as the workspace in pyproject.toml lists them."""
    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]["members"]
    found = [folder for pattern in workspace for folder in sorted(ROOT.glob(pattern))]
    return [folder for folder in found if (folder / "pyproject.toml").exists()]


def _sources(distributions: Iterable[Path]) -> list[Path]:
    """Give the files whose change makes an editable install stale: metadata, and what code is generated from."""
    protos = ROOT / "protos"
    return [
        *(folder / "pyproject.toml" for folder in distributions),
        *sorted(protos.glob("vod/**/*.proto")),
        *protos.glob("*.py"),
    ]


def _once(what: str, stamp: Path, inputs: Iterable[Path], install: Callable[[], None]) -> None:
    """Install unless the stamp says that exactly these inputs are installed."""
    content = b"".join(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() for file in inputs)
    wanted = hashlib.sha256(sys.version.encode() + str(ROOT).encode() + content).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    began = time.monotonic()
    print(f"Installing {what} …", flush=True)
    stamp.unlink(missing_ok=True)
    install()
    stamp.write_text(wanted)
    print(f"  done ({time.monotonic() - began:.0f} s)", flush=True)


def _is_usable(python: Path) -> bool:
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _make_venv(venv: Path) -> None:
    print(f"Making {venv} with Python {sys.version.split()[0]} …", flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", venv], capture_output=True, text=True, check=False)
    if made.returncode:
        sys.exit(
            f"This Python can't make a virtual environment:\n{(made.stdout + made.stderr).strip()}\n"
            "On Debian and Ubuntu: apt install python3-venv. Or choose another: make PYTHON=/path/to/python3.11"
        )


def _install_pinned(python: Path) -> None:
    """Let pip install the lock; show how far it is instead of its pages of output."""
    total = len(PINNED.findall(REQUIREMENTS.read_text()))
    command: list[str | Path] = [
        python,
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar=off",
    ]
    pip = subprocess.Popen(
        [*command, "--require-hashes", "--no-deps", "-r", REQUIREMENTS],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert pip.stdout is not None  # noqa: S101  asked for above
    said, collected = [], 0
    for line in pip.stdout:
        said.append(line)
        if match := COLLECTED.match(line):
            collected += 1
            _show(f"  {collected}/{total} {match['name']}")
        elif line.startswith("Installing collected"):
            _show(f"  unpacking {collected} packages")
    _show("")
    if pip.wait():
        sys.exit("".join(said[-30:]) + "pip could not install the third-party packages.")


def _show(text: str) -> None:
    """Write over the last line of a terminal; a log does not get it."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)


def _install_own(venv: Path, distributions: Iterable[Path]) -> None:
    """Install all of ours at once with uv, which builds them side by side; it needs no network for that."""
    editable = [part for folder in distributions for part in ("-e", str(folder))]
    command: list[str | Path] = [
        venv / "bin" / "uv",
        "pip",
        "install",
        "--quiet",
        "--offline",
        "--no-config",
        "--no-sources",
        "--no-deps",
        "--no-build-isolation",
    ]
    # The hook that generates code from protos/ calls protoc's plugins by name.
    path = f"{venv / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    environment = {**os.environ, "PATH": path, "UV_LINK_MODE": "copy"}
    installed = subprocess.run([*command, "--python", venv / "bin" / "python", *editable], env=environment, check=False)
    if installed.returncode:
        sys.exit("uv could not install NovaStream's own packages; the reason is above.")


if __name__ == "__main__":
    main()
