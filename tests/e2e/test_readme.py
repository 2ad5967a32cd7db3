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
README = Path(__file__).parents[2] / "README.md"
# An answer that is an error ends it; players are for people.
PRELUDE = 'set -euo pipefail\ncurl() { command curl --fail-with-body "$@"; echo; }\nmpv() { :; }\n'


def first_session(base: str) -> str:
    """Return the shell commands of the chapter, for a system at *base*; the last ones are for the command line."""
    chapter = README.read_text(encoding="utf-8").partition("## A first session")[2].partition("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", chapter, flags=re.DOTALL)
    curls = [block for block in blocks if "vod play" not in block]
    return PRELUDE + "\n".join(curls).replace("http://127.0.0.1:8080", base)


async def test_the_first_session_of_the_readme_works_as_it_is_written(vod: System, tmp_path: Path) -> None:
    script = first_session(vod.base)
    shell = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        script,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"PATH": vod.environment["PATH"], "NO_PROXY": "*"},
    )
    async with asyncio.timeout(60):
        said = (await shell.communicate())[0].decode()

    assert shell.returncode == 0, said
    assert len((tmp_path / "first-kilobyte.bin").read_bytes()) == 1000
    started = json.loads((tmp_path / "session.json").read_text())
    assert started["source"]["type"] == "torrent"
    answers = [json.loads(line) for line in said.splitlines() if line.startswith(("{", "["))]
    assert [sorted(one)[:1] for one in answers[2:]] == [["nextHint"], ["nextHint"], ["duration_s"], ["autoplayIn"]]
    assert answers[4]["position_s"] == 12
