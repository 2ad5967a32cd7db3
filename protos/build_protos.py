"""Generate the Python modules and type stubs of every .proto file when the distribution is built."""

import shutil
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ProtoBuildHook(BuildHookInterface):
    """Run protoc into `gen/`, which git ignores; so generated code can't drift from its source."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        import grpc_tools
        from grpc_tools import protoc

        root = Path(self.root)
        out = root / "gen"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        # protoc called from Python does not find google/protobuf/*.proto by itself.
        well_known = Path(grpc_tools.__file__).parent / "_proto"
        files = sorted(str(p.relative_to(root)) for p in root.glob("vod/**/*.proto"))
        outputs = [f"--{kind}_out={out}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")]
        if protoc.main(["protoc", f"-I{root}", f"-I{well_known}", *outputs, *files]):
            raise SystemExit("protoc failed")
