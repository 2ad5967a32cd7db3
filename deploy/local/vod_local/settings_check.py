"""Reads the settings of all services from the environment, as they will, and prints what is wrong with them.

usage: python -m vod_local.settings_check SERVICE …
"""

import difflib
import importlib
import logging
import os
import sys
from collections.abc import Iterable, Mapping, Sequence

from pydantic import AliasChoices, ValidationError
from pydantic_settings import BaseSettings, SettingsError

from vod_local.environment import variable
from vod_local.preflight import Findings

PREFIX = "VOD_"
LOG_LEVEL = "VOD_LOG_LEVEL"
RUNNERS_OWN = frozenset(
    {
        "VOD_DATA_DIR",
        "VOD_HTTP_LISTEN",
        "VOD_STREAM_HTTP_LISTEN",
        "VOD_STREAM_PUBLIC_BASE",
        "VOD_OPS_LISTEN",
        LOG_LEVEL,
        # Of the tests; whoever develops has them in the shell.
        "VOD_FAKES_DIR",
        "VOD_TEST_SERVERS",
    }
)
"""Known variables that are no service's setting."""


def findings(services: Sequence[str], environ: Mapping[str, str]) -> Findings:
    """Check each service's settings, and the names of all variables that look like ours."""
    errors: dict[str, list[str]] = {}
    known = set(RUNNERS_OWN)
    for service in services:
        known |= {variable(service, "LISTEN"), variable(service, "TARGET")}
        try:
            settings = _settings(service)
        except ModuleNotFoundError as missing:
            errors.setdefault(f"{missing.name} is not installed. Run `make install`.", []).append(service)
            continue
        known |= _names(settings)
        for error in _troubles(settings):
            errors.setdefault(error, []).append(service)
    lines = [f"{error} ({', '.join(members)})" for error, members in errors.items()]
    return Findings(errors=[*lines, *_log_level(environ)], warnings=_strangers(environ, known))


def _settings(service: str) -> type[BaseSettings]:
    settings: type[BaseSettings] = importlib.import_module(f"vod_{service.replace('-', '_')}.settings").Settings
    return settings


def _names(settings: type[BaseSettings]) -> set[str]:
    names: set[str] = set()
    for name, field in settings.model_fields.items():
        alias = field.validation_alias
        names |= {str(choice) for choice in alias.choices} if isinstance(alias, AliasChoices) else {str(alias or name)}
    return {name.upper() for name in names}


def _troubles(settings: type[BaseSettings]) -> Iterable[str]:
    """Give `VARIABLE: what is wrong`, without the value: it may be a secret."""
    try:
        settings()
    except ValidationError as error:
        return [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
    except SettingsError as error:
        return [str(error)]
    return []


def _log_level(environ: Mapping[str, str]) -> list[str]:
    level = environ.get(LOG_LEVEL, "INFO")
    levels = logging.getLevelNamesMapping()
    return [] if level.upper() in levels else [f"{LOG_LEVEL}={level} is none of {', '.join(levels)}"]


def _strangers(environ: Mapping[str, str], known: set[str]) -> list[str]:
    """Give one line that names the variables which nobody reads, each with the one that was probably meant."""
    strangers = sorted(name for name in environ if name.upper().startswith(PREFIX) and name.upper() not in known)
    if not strangers:
        return []
    named = []
    for name in strangers:
        meant = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.85)
        named.append(f"{name} (did you mean {meant[0]}?)" if meant else name)
    return [f"Nobody reads these variables: {', '.join(named)}."]


if __name__ == "__main__":
    print(findings(sys.argv[1:], os.environ).as_json())
