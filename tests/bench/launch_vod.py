"""The whole of NovaStream for an outside harness, through its real gateway: `python tests/bench/launch_vod.py`.

Runs `vod up` in the foreground with its data in `$VOD_DIR` and the API on the port of `$VOD_BASE`; the owner's key is
`$VOD_TOKEN`, so that the harness may name magnets (direct play). Peers on loopback are allowed; nothing is tuned.
"""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit


def main() -> None:
    base = os.environ.get("VOD_BASE", "http://127.0.0.1:8080")
    data = Path(os.environ["VOD_DIR"]) / "vod"
    data.mkdir(parents=True, exist_ok=True)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("VOD_")},
        "VOD_ADMIN_KEY": os.environ["VOD_TOKEN"],
        "VOD_ALLOW_PRIVATE_PEERS": "1",
        "VOD_STREAM_PEER_LISTEN": "0.0.0.0:6881",
        "VOD_LIMIT_SEARCH_PER_MINUTE": "6000",
        "VOD_LIMIT_SEARCH_BURST": "1000",
    }
    port = str(urlsplit(base).port or 80)
    command = [sys.executable, "-m", "vod_local.cli", "up", "--data", str(data), "--port", port, "--no-demo"]
    os.execve(command[0], command, environment)


if __name__ == "__main__":
    main()
