"""What can go wrong on one machine. Each message is a sentence for the person at the terminal.

LocalFailure
├── BadConfiguration    a file or variable says something impossible
├── DataInUse           another `vod up` holds the data folder
├── DataUnusable        the data folder can't be used by this user or this version
├── PortTaken           somebody else listens there
├── PlayerUnusable      the video player can't be started
├── ProgramFailed
│   ├── ProgramDied     it ended by itself
│   └── NotReady        it runs, but does not answer in time
├── NotRunning          there is no `vod up` to talk to
└── RequestRefused      NovaStream answered with a problem
"""

from pathlib import Path


class LocalFailure(Exception):  # noqa: N818  the family is told apart by what happened
    """The person at the terminal has to do something; the message says what."""

    exit_code = 1


class BadConfiguration(LocalFailure):
    """A file or variable says something impossible."""

    exit_code = 2


class DataInUse(LocalFailure):
    """Another `vod up` holds the data folder."""

    exit_code = 3


class DataUnusable(LocalFailure):
    """The data folder can't be used by this user or by this version."""


class PortTaken(LocalFailure):
    """Somebody else listens on the port."""

    exit_code = 4


class PlayerUnusable(LocalFailure):
    """The video player can't be started."""


class NotRunning(LocalFailure):
    """There is no `vod up` to talk to."""

    exit_code = 5


class RequestRefused(LocalFailure):
    """NovaStream answered with a problem."""

    exit_code = 6

    def __init__(self, message: str, *, status: int) -> None:
        self.status = status
        super().__init__(message)


class ProgramFailed(LocalFailure):
    """A child process is of no use."""

    def __init__(self, name: str, what: str, log: Path, tail: str) -> None:
        self.name = name
        self.log = log
        self.tail = tail
        last_lines = f"\nIts last lines:\n{tail}" if tail else ""
        super().__init__(f"{name} {what}. Its log: {log}{last_lines}")


class ProgramDied(ProgramFailed):
    """It ended by itself."""


class NotReady(ProgramFailed):
    """It runs, but does not answer in time."""
