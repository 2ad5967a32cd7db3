"""Commands as they can be pasted into the shell that shows them."""

import os
import shlex
import shutil
import sys
from pathlib import Path

from vod_local.folders import data_folder


def vod(command: str, data: Path) -> str:
    """Give `vod play`, `vod status` … so that it works: with the program's path, and the data folder, where needed."""
    here = Path(sys.executable).with_name("vod")
    program = "vod" if shutil.which("vod") == str(here) else os.path.relpath(here)
    option = "" if data == data_folder(None, {}) else f" --data {shlex.quote(str(data))}"
    return f"{program} {command}{option}"
