"""Before anything starts: do the settings make sense, do the servers answer that the user names?

Both questions are put by child processes, at the same time. Drivers and services would stay in the supervisor's memory.
"""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from vod_local.environment import SERVER_VARIABLES
from vod_local.errors import BadConfiguration
from vod_local.process import output_of

PATIENCE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Findings:
    """What a check has to say, in whole lines: what makes a start pointless, and what the user should know."""

    errors: list[str]
    warnings: list[str]

    def as_json(self) -> str:
        """Give what `_ask` reads."""
        return json.dumps({"errors": self.errors, "warnings": self.warnings})


async def check(services: Sequence[str], *, settings: Mapping[str, str], environ: Mapping[str, str], log: Path) -> str:
    """Check the services' settings and the servers of PG_DSN, REDIS_URL and NATS_URL; give the warnings, mostly none.

    `settings` is what the services will be told. Raises BadConfiguration with all that is wrong.
    """
    given = [variable for variable in SERVER_VARIABLES.values() if environ.get(variable)]
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(_ask("vod_local.settings_check", services, settings, log))]
        if given:
            asked.append(group.create_task(_ask("vod_local.given_servers", given, environ, log)))
    found = [task.result() for task in asked]
    if errors := [line for one in found for line in one.errors]:
        raise BadConfiguration("\n".join(errors))
    return "\n".join(line for one in found for line in one.warnings)


async def _ask(module: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Findings:
    argv = (sys.executable, "-m", module, *arguments)
    return Findings(**json.loads(await output_of(module, argv, log, env=environment, within=PATIENCE)))
