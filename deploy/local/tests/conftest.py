"""What the tests of the local runner share."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def short_tmp() -> Iterator[Path]:
    """A folder with a short path that other users may enter, for Unix sockets and a Postgres under another account."""
    with tempfile.TemporaryDirectory(prefix="vod-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
