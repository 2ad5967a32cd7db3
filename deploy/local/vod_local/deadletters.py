"""`vod deadletters`: messages that a service could not handle; look at them, and send them again."""

import asyncio
import importlib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import nats
from google.protobuf import symbol_database
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import DecodeError
from pydantic import SecretStr

from vod_events import Bus, Unconfirmed, event_bus
from vod_local.environment import SERVER_VARIABLES
from vod_local.errors import BadConfiguration, NotRunning, RequestRefused
from vod_local.folders import data_folder
from vod_local.letters import DeadLetter, dead_letter, dead_letters, replay
from vod_local.record import RunRecord
from vod_local.servers.nats import url_in
from vod_local.status import running_record
from vod_runtime.host import new_runtime

NO_SUCH_LETTER = 7
_AWAY = (nats.errors.Error, nats.js.errors.Error, OSError)


@dataclass(frozen=True, slots=True)
class DeadLetterOptions:
    """What the command line says."""

    data: Path | None
    show: int | None = None
    replay: tuple[int, ...] = ()
    replay_all: bool = False


def main(options: DeadLetterOptions) -> int:
    """List, show or replay dead letters; give the exit code."""
    return asyncio.run(_main(options, os.environ))


async def _main(options: DeadLetterOptions, environ: Mapping[str, str]) -> int:
    url = nats_url(running_record(data_folder(options.data, environ)), environ)
    try:
        async with event_bus(SecretStr(url), new_runtime("vod", level="ERROR")) as bus:
            return await run(options, bus)
    except _AWAY as failure:
        raise NotRunning(f"{str(failure) or type(failure).__name__}. Try again when it is back.") from failure


async def run(options: DeadLetterOptions, bus: Bus) -> int:
    """Do what the options say, on an open bus.

    Raises NotRunning when NATS stops to answer meanwhile.
    """
    try:
        return await _do(options, bus)
    except _AWAY as failure:
        raise NotRunning(f"NATS does not answer: {type(failure).__name__}. Try again when it is back.") from failure


async def _do(options: DeadLetterOptions, bus: Bus) -> int:
    if options.show is not None:
        return await _show(bus, options.show)
    if options.replay or options.replay_all:
        return await _replay(bus, options)
    letters = [letter async for letter in dead_letters(bus)]
    for letter in letters:
        print(line(letter))
    print(f"{len(letters)} dead letter{'' if len(letters) == 1 else 's'}.")
    return 0


def nats_url(record: RunRecord, environ: Mapping[str, str]) -> str:
    """Give the address of the NATS that the running NovaStream uses.

    Raises BadConfiguration when it is the user's own, and NATS_URL does not say which.
    """
    variable = SERVER_VARIABLES["nats"]
    if record.servers["nats"] == variable:
        if not environ.get(variable):
            raise BadConfiguration(f"NovaStream runs with a NATS of yours: say where it is with {variable}.")
        return environ[variable]
    some_socket = next(iter(record.processes.values())).ops.removeprefix("unix:")
    return url_in(Path(some_socket).parent)


def line(letter: DeadLetter) -> str:
    """Give a letter as a line of the list."""
    who = letter.consumer or "?"
    return f"{letter.number:6}  {_moment(letter.put_aside_at)}  {letter.subject}  not handled by {who}"


def content(letter: DeadLetter) -> str:
    """Give what is in a letter as JSON, or as hex when it is none of our messages."""
    package = letter.event.rpartition(".")[0]
    with suppress(ModuleNotFoundError, KeyError, DecodeError, ValueError):
        importlib.import_module(f"{package}.events_pb2")
        message = symbol_database.Default().GetSymbol(letter.event)
        return MessageToJson(message.FromString(letter.payload), preserving_proto_field_name=True)
    return f"{len(letter.payload)} bytes that are no {letter.event or 'event of ours'}: {letter.payload[:64].hex()}"


async def _show(bus: Bus, number: int) -> int:
    letter = await dead_letter(bus, number)
    if letter is None:
        print(_missing(number))
        return NO_SUCH_LETTER
    print(line(letter))
    print(f"{letter.event}\n{content(letter)}")
    return 0


async def _replay(bus: Bus, options: DeadLetterOptions) -> int:
    code = 0
    numbers = [letter.number async for letter in dead_letters(bus)] if options.replay_all else options.replay
    for number in numbers:
        letter = await dead_letter(bus, number)
        if letter is None:
            print(_missing(number))
            code = NO_SUCH_LETTER
            continue
        try:
            await replay(bus, letter)
        except Unconfirmed as failure:
            raise RequestRefused(f"Dead letter {number} was kept: {failure}.", status=503) from failure
        print(f"{number} was sent again: {letter.subject}")
    return code


def _missing(number: int) -> str:
    return f"There is no dead letter {number}."


def _moment(at: datetime | None) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else "?"
