"""Write deploy/requirements/all.txt: every third-party package of every distribution of ours, pinned, with hashes.

Present pins stay as long as they fit; `--upgrade` takes new versions. The file names no package index.
usage: python deploy/lock.py [--upgrade | --upgrade-package NAME …]
"""

# ruff: noqa: S603, T201
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from install import REQUIREMENTS, ROOT, own_distributions

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
LOCATION = re.compile(r"https?://|file:|--index-url|--find-links")
OPTIONS = (
    "--universal",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-header",
    "--no-annotate",
)


def main() -> None:
    """Resolve and write the file."""
    wanted = third_party()
    uv: list[str | Path] = [
        Path(sys.executable).with_name("uv"),
        "pip",
        "compile",
        "-",
        *OPTIONS,
        "--python-version=3.11",
        "--quiet",
    ]
    command = [*uv, *sys.argv[1:], "--output-file", REQUIREMENTS]
    if subprocess.run(command, input="\n".join(wanted), text=True, stdout=subprocess.DEVNULL, check=False).returncode:
        sys.exit("uv could not resolve the requirements; the reason is above.")
    if found := LOCATION.search(REQUIREMENTS.read_text()):
        sys.exit(f"{REQUIREMENTS} contains {found[0]!r}: it must not say where packages come from.")
    print(f"{REQUIREMENTS.relative_to(ROOT)}: {len(wanted)} packages asked for")


def third_party() -> list[str]:
    """Give what all our distributions and the tools need, without our own distributions."""
    projects = [_read(folder) for folder in own_distributions()]
    ours = {project["project"]["name"] for project in projects}
    asked = set(_read(ROOT)["dependency-groups"]["dev"])
    for project in projects:
        asked |= {*project["project"].get("dependencies", ()), *project["build-system"]["requires"]}
    return sorted(one for one in asked if _name(one) not in ours)


def _read(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text())


def _name(requirement: str) -> str:
    match = NAME.match(requirement)
    return match[0] if match else requirement


if __name__ == "__main__":
    main()
