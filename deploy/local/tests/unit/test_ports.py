import errno
import os
import socket
import sys

import pytest

from vod_local.errors import BadConfiguration, PortTaken
from vod_local.ports import HTTP, STREAM_HTTP, check_free, kept, listeners


def test_streams_take_the_next_port() -> None:
    assert listeners(None, {}) == ("127.0.0.1:8080", "127.0.0.1:8081")
    assert listeners(9000, {}) == ("127.0.0.1:9000", "127.0.0.1:9001")


def test_the_command_line_beats_the_environment() -> None:
    environ = {HTTP: "0.0.0.0:80", STREAM_HTTP: "127.0.0.1:7000"}

    assert listeners(9000, environ) == ("127.0.0.1:9000", "127.0.0.1:7000")
    assert listeners(None, environ) == ("0.0.0.0:80", "127.0.0.1:7000")


def test_an_address_without_port_is_refused() -> None:
    with pytest.raises(BadConfiguration, match="VOD_HTTP_LISTEN=localhost is not HOST:PORT"):
        listeners(None, {HTTP: "localhost"})


def test_a_taken_port_is_explained_with_who_has_it_and_what_to_change() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken) as caught:
            check_free(f"127.0.0.1:{port}", HTTP, {})
    message = str(caught.value)

    assert f"Port {port} is taken by" in message
    assert f"(process {os.getpid()})" in message
    assert "vod up --port 8090" in message
    assert "VOD_HTTP_LISTEN=127.0.0.1:PORT" in message


def test_a_free_port_passes() -> None:
    with kept(1) as [port]:
        check_free(f"127.0.0.1:{port}", STREAM_HTTP, {})


def test_at_ports_that_are_kept_a_server_comes_and_goes_and_callers_are_refused_meanwhile() -> None:
    with kept(3) as ports:
        for port in [*ports, *ports]:
            with socket.create_server(("127.0.0.1", port)) as server, socket.create_connection(server.getsockname()):
                pass
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port))

    assert list(ports) == [ports[0], ports[0] + 1, ports[0] + 2]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere they are only free when the block begins")
def test_nobody_else_gets_a_port_that_is_kept() -> None:
    with kept(2) as ports:
        taken = []
        for port in ports:
            # As the system looks for a port of an outgoing call, and as `kept` looks for ports itself.
            with socket.socket() as other, pytest.raises(OSError) as refused:  # noqa: PT011  its number is looked at
                other.bind(("127.0.0.1", port))
            taken.append(refused.value.errno)

    assert taken == [errno.EADDRINUSE] * 2


@pytest.mark.parametrize(("environ", "helps"), [({}, True), ({STREAM_HTTP: "127.0.0.1:7000"}, False)])
def test_for_a_taken_stream_port_another_port_of_the_api_is_offered_where_that_moves_it(
    environ: dict[str, str], helps: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(PortTaken) as caught:
        check_free(f"127.0.0.1:{other.getsockname()[1]}", STREAM_HTTP, environ)
    message = str(caught.value)

    assert ("vod up --port" in message) is helps
    assert "VOD_STREAM_HTTP_LISTEN=127.0.0.1:PORT" in message


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(PortTaken, match=r"can't listen on 192\.0\.2\.1:8080"):
        check_free("192.0.2.1:8080", HTTP, {})
