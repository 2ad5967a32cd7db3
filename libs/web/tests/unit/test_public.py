"""What is public, and a transport that goes nowhere else, over answers and a resolver that are told what to say."""

import string
from collections.abc import Callable, Sequence

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vod_web.public import NotPublicError, PublicTransport, is_public, looks_public, system_resolve

PUBLIC = "93.184.216.34"
Answer = Callable[[httpx.Request], httpx.Response]


class Names:
    """A resolver that gives a name its addresses by turns; those of one turn are separated by spaces."""

    def __init__(self, *turns: str) -> None:
        self._turns = list(turns)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        return self._turns.pop(0).split()


def client(answer: Answer, *turns: str, allowed: frozenset[str] = frozenset()) -> httpx.AsyncClient:
    transport = PublicTransport(httpx.MockTransport(answer), allowed=allowed, resolve=Names(*turns))
    return httpx.AsyncClient(transport=transport, follow_redirects=True)


def ok(request: httpx.Request) -> httpx.Response:
    name = request.extensions.get("sni_hostname", "")
    return httpx.Response(200, text=f"{request.url.host} as {request.headers['host']} {name}".rstrip())


def leads_to(target: str) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"location": target}) if request.url.path == "/start" else ok(request)

    return answer


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::", "::1", "fe80::1%eth0", "fc00::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001:0:0:0:0:0:80ff:fffe",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)
    assert not looks_public(address)


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)
    assert looks_public(address)


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST.", "tracker.localhost", "nas.lan", "nas.LAN.", "db.internal", "printer.local", "x.home",
        "x.home.arpa", "x.corp", "postgres", "2130706433", "127.1", "0x7f000001", "0177.0.0.1", "10.1", "", ".",
    ],
)  # fmt: skip
def test_hosts_that_look_like_our_own(host: str) -> None:
    assert not looks_public(host)


@pytest.mark.parametrize("host", ["archive.org", "bt1.archive.org.", "7digital.example", "localhost.example"])
def test_hosts_that_look_public(host: str) -> None:
    assert looks_public(host)


@given(st.text(alphabet=string.printable, max_size=40))
def test_any_host_looks_public_or_not(host: str) -> None:
    assert looks_public(host) in (True, False)


async def test_a_name_goes_to_the_very_address_that_was_checked() -> None:
    async with client(ok, PUBLIC, "127.0.0.1") as http:
        answer = await http.get("https://data.example/lists.xml")

    assert answer.text == f"{PUBLIC} as data.example data.example"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/x", "http://[::1]/x", "http://169.254.169.254/latest", "http://inside.example/x"]
)
async def test_a_private_address_is_refused(url: str) -> None:
    async with client(ok, "10.0.0.7") as http:
        with pytest.raises(NotPublicError, match="not public"):
            await http.get(url)


@pytest.mark.parametrize("target", ["http://127.0.0.1/x", "http://inside.example/x"])
async def test_a_redirect_to_a_private_address_is_refused(target: str) -> None:
    async with client(leads_to(target), PUBLIC, "192.168.0.9") as http:
        with pytest.raises(NotPublicError, match="not public"):
            await http.get("https://data.example/start")


async def test_a_name_that_changes_its_mind_between_two_fetches_is_refused() -> None:
    async with client(ok, PUBLIC, "127.0.0.1") as http:
        await http.get("https://data.example/lists.xml")
        with pytest.raises(NotPublicError, match="not public"):
            await http.get("https://data.example/ids.json")


async def test_a_redirect_to_a_file_is_refused() -> None:
    async with client(leads_to("file:///etc/passwd"), PUBLIC) as http:
        with pytest.raises((NotPublicError, httpx.RemoteProtocolError, httpx.UnsupportedProtocol)):
            await http.get("https://data.example/start")


async def test_a_redirect_that_names_no_host_stays_at_the_name_and_not_at_its_address() -> None:
    async with client(leads_to("/lists.xml"), PUBLIC, PUBLIC) as http:
        answer = await http.get("https://data.example/start")

    assert (str(answer.url), answer.text) == (
        "https://data.example/lists.xml",
        f"{PUBLIC} as data.example data.example",
    )


async def test_what_the_operator_named_may_be_inside() -> None:
    async with client(ok, allowed=frozenset({"127.0.0.1:8090"})) as http:
        answer = await http.get("http://127.0.0.1:8090/lists.xml")
        with pytest.raises(NotPublicError):
            await http.get("http://127.0.0.1:9000/lists.xml")

    assert answer.status_code == 200


async def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    async with client(ok, f"{PUBLIC} 10.0.0.7") as http:
        with pytest.raises(NotPublicError, match="not public"):
            await http.get("http://data.example/x")


async def test_a_name_without_an_address_is_not_reachable() -> None:
    async with client(ok, "") as http:
        with pytest.raises(httpx.ConnectError, match=r"data\.example has no address"):
            await http.get("http://data.example/x")


@pytest.mark.parametrize("url", ["ftp://data.example/x", "http://user:pw@data.example/x"])
async def test_only_plain_web_addresses_are_fetched(url: str) -> None:
    async with client(ok, PUBLIC) as http:
        with pytest.raises((NotPublicError, httpx.UnsupportedProtocol)):
            await http.get(url)


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0x7f.0.0.1", "localhost"])
async def test_other_spellings_of_this_machine_are_seen_through(host: str) -> None:
    transport = PublicTransport(httpx.MockTransport(ok), allowed=frozenset(), resolve=system_resolve)
    async with httpx.AsyncClient(transport=transport) as http:
        # Refused, or unknown to the resolver of a machine that does not read such spellings.
        with pytest.raises((NotPublicError, httpx.ConnectError)):
            await http.get(f"http://{host}/")
