"""Finds out before anything starts whether our ports are free, and keeps those free that nobody chose."""

import errno
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress

import psutil

from vod_local.errors import BadConfiguration, PortTaken

HTTP = "VOD_HTTP_LISTEN"
STREAM_HTTP = "VOD_STREAM_HTTP_LISTEN"
DEFAULT_PORT = 8080


def listeners(port: int | None, environ: Mapping[str, str]) -> tuple[str, str]:
    """Give `host:port` of the API and of the streams.

    `port` (from the command line) beats VOD_HTTP_LISTEN; the streams take the next one unless VOD_STREAM_HTTP_LISTEN
    is set.
    """
    http = f"127.0.0.1:{port}" if port else environ.get(HTTP) or f"127.0.0.1:{DEFAULT_PORT}"
    host, number = _split(http, HTTP)
    stream = environ.get(STREAM_HTTP) or f"{host}:{number + 1}"
    _split(stream, STREAM_HTTP)
    return http, stream


@contextmanager
def kept(count: int) -> Iterator[range]:
    """Keep so many ports of loopback, in a row, for servers of ours that come and go until the block ends.

    A port that was only found free is soon somebody else's: the system gives it to whoever listens on any port or
    calls somebody, and a call keeps its port for a minute after its end. It does not give away a port to which a socket
    is bound; and where that socket does not listen, who names the port may, with SO_REUSEADDR (Linux; elsewhere the
    ports are no more than free when the block begins).
    """
    with ExitStack() as keepers:
        first = _keep_row(count, keepers)
        if sys.platform != "linux":
            keepers.close()
        yield range(first, first + count)


def _keep_row(count: int, keepers: ExitStack) -> int:
    """Bind sockets to ports in a row; give the first port."""
    while True:
        with ExitStack() as tried:
            first: int = tried.enter_context(_keeper(0)).getsockname()[1]
            with suppress(OSError, OverflowError):  # the row meets a port that is taken, or the last one there is
                for port in range(first + 1, first + count):
                    tried.enter_context(_keeper(port))
                keepers.push(tried.pop_all())
                return first


def _keeper(port: int) -> socket.socket:
    """Bind a socket that does not listen; OSError if the port is taken."""
    keeper = socket.socket()
    try:
        keeper.bind(("127.0.0.1", port))
        # Not before: two keepers would share the port.
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except BaseException:
        keeper.close()
        raise
    return keeper


def check_free(listen: str, variable: str, environ: Mapping[str, str]) -> None:
    """Raise PortTaken, with the name of what to change, when somebody listens there already."""
    host, port = _split(listen, variable)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError as failure:
            raise PortTaken(_explain(listen, failure, _remedy(variable, environ))) from failure


def _explain(listen: str, failure: OSError, remedy: str) -> str:
    port = listen.rpartition(":")[2]
    if failure.errno == errno.EADDRINUSE:
        trouble = f"Port {port} is taken{_by_whom(int(port))}"
    else:
        trouble = f"NovaStream can't listen on {listen} ({failure.strerror})"
    return f"{trouble}. Choose another one: {remedy}"


def _remedy(variable: str, environ: Mapping[str, str]) -> str:
    remedy = f"set {variable}=127.0.0.1:PORT"
    if variable == STREAM_HTTP and environ.get(STREAM_HTTP):
        return remedy  # --port would not move it
    note = " (streams take the port after it)" if variable == STREAM_HTTP else ""
    return f"`vod up --port {DEFAULT_PORT + 10}`{note} or {remedy}"


def _by_whom(port: int) -> str:
    """Name the process that listens, if we may know it."""
    with suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,) and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""


def _split(listen: str, variable: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise BadConfiguration(f"{variable}={listen} is not HOST:PORT, for example 127.0.0.1:{DEFAULT_PORT}.")
    return host, int(port)
