"""The README's first session, typed as it stands there."""

import asyncio
import json
import re
import shutil
from pathlib import Path

import pytest
from allinone import System

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(not shutil.which("curl") or not shutil.which("bash"), reason="needs curl and bash"),
]
TRIES = 3
README = Path(__file__).parents[2] / "README.md"
# An answer that is an error ends it; players are for people.
PRELUDE = 'set -euo pipefail\ncurl() { command curl --fail-with-body "$@"; echo; }\nmpv() { :; }\n'


def first_session(base: str) -> str:
    """Return the shell commands of the chapter, for a system at *base*; the last ones are for the command line."""
    chapter = README.read_text(encoding="utf-8").partition("## A first session")[2].partition("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", chapter, flags=re.DOTALL)
    curls = [block for block in blocks if "vod play" not in block]
    return PRELUDE + "\n".join(curls).replace("http://127.0.0.1:8080", base)


async def typed(vod: System, folder: Path) -> tuple[int, str]:
    """Type the first session in a new folder; return how it ended, and what was said."""
    shell = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        first_session(vod.base),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"PATH": vod.environment["PATH"], "NO_PROXY": "*"},
    )
    async with asyncio.timeout(120):
        said = (await shell.communicate())[0].decode()
    return shell.returncode or 0, said


async def test_the_first_session_of_the_readme_works_as_it_is_written(
    vod: System, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for _ in range(TRIES):
        folder = tmp_path_factory.mktemp("first-session")
        code, said = await typed(vod, folder)
        if "DEADLINE_EXCEEDED" not in said:
            break  # else the machine stood still, and people would type it again

    assert code == 0, said
    assert len((folder / "first-kilobyte.bin").read_bytes()) == 1000
    started = json.loads((folder / "session.json").read_text())
    assert started["source"]["type"] == "torrent"
    answers = [json.loads(line) for line in said.splitlines() if line.startswith(("{", "["))]
    assert [sorted(one)[:1] for one in answers[2:]] == [["nextHint"], ["nextHint"], ["duration_s"], ["autoplayIn"]]
    assert answers[4]["position_s"] == 12
