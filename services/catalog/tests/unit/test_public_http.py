"""Outgoing fetches: private addresses, redirects to them, names that change their mind, other schemes, too much."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import httpx
import pytest
import structlog
from structlog.testing import LogCapture

from vod_catalog.domain import Episode, Kind, Series, SeriesId, Title
from vod_catalog.errors import ImageNotFound, UpstreamUnavailable
from vod_catalog.images import ImageKind, Images
from vod_catalog.mapping_data import MappingData
from vod_catalog.public_http import PublicTransport, RefusedError, is_public
from vod_runtime import SystemClock

PUBLIC = "93.184.216.34"
Answer = Callable[[httpx.Request], httpx.Response]


class Names:
    """A resolver that gives a name its addresses by turns."""

    def __init__(self, *turns: str) -> None:
        self._turns = list(turns)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return [self._turns.pop(0)]


def client(answer: Answer, *turns: str, allowed: frozenset[str] = frozenset()) -> httpx.AsyncClient:
    transport = PublicTransport(httpx.MockTransport(answer), allowed=allowed, resolve=Names(*turns))
    return httpx.AsyncClient(transport=transport, follow_redirects=True)


def ok(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text=f"{request.url.host} as {request.headers['host']}")


def leads_to(target: str) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"location": target}) if request.url.path == "/start" else ok(request)

    return answer


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "::1",
     "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "2002:7f00:1::", "2001:0:0:0:0:0:80ff:fffe"],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


async def test_a_name_goes_to_the_very_address_that_was_checked() -> None:
    async with client(ok, PUBLIC, "127.0.0.1") as http:
        answer = await http.get("https://data.example/lists.xml")

    assert answer.text == f"{PUBLIC} as data.example"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/x", "http://[::1]/x", "http://169.254.169.254/latest", "http://inside.example/x"]
)
async def test_a_private_address_is_refused(url: str) -> None:
    async with client(ok, "10.0.0.7") as http:
        with pytest.raises(RefusedError, match="not public"):
            await http.get(url)


@pytest.mark.parametrize("target", ["http://127.0.0.1/x", "http://inside.example/x"])
async def test_a_redirect_to_a_private_address_is_refused(target: str) -> None:
    async with client(leads_to(target), PUBLIC, "192.168.0.9") as http:
        with pytest.raises(RefusedError, match="not public"):
            await http.get("https://data.example/start")


async def test_a_name_that_changes_its_mind_between_two_fetches_is_refused() -> None:
    async with client(ok, PUBLIC, "127.0.0.1") as http:
        await http.get("https://data.example/lists.xml")
        with pytest.raises(RefusedError, match="not public"):
            await http.get("https://data.example/ids.json")


async def test_a_redirect_to_a_file_is_refused() -> None:
    async with client(leads_to("file:///etc/passwd"), PUBLIC) as http:
        with pytest.raises((RefusedError, httpx.RemoteProtocolError, httpx.UnsupportedProtocol)):
            await http.get("https://data.example/start")


async def test_what_the_operator_named_may_be_inside() -> None:
    async with client(ok, allowed=frozenset({"127.0.0.1:8090"})) as http:
        answer = await http.get("http://127.0.0.1:8090/lists.xml")
        with pytest.raises(RefusedError):
            await http.get("http://127.0.0.1:9000/lists.xml")

    assert answer.status_code == 200


class Files:
    """Keeps nothing, and should not be asked to."""

    async def mapping_file(self, name: str) -> tuple[bytes, datetime] | None:
        return None

    async def save_mapping_files(self, files: dict[str, bytes], *, at: datetime) -> None:
        raise AssertionError("what was refused is not kept")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (leads_to("http://169.254.169.254/latest"), "169.254.169.254 leads to an address that is not public."),
        (lambda _: httpx.Response(200, content=b" " * (33 * 1024 * 1024)), "too large"),
        (lambda _: httpx.Response(200, text="<html>"), "not XML"),
    ],
    ids=["redirect", "oversize", "HTML"],
)
async def test_mapping_data_that_lead_astray_are_refused_and_that_is_said_once(answer: Answer, reason: str) -> None:
    told = LogCapture()
    log = structlog.wrap_logger(None, processors=[told], wrapper_class=structlog.BoundLogger)
    async with client(answer, *([PUBLIC] * 4)) as http:
        url = "https://data.example/start"
        data = MappingData(Files(), http, lists_url=url, ids_url=url, clock=SystemClock(), log=log)
        await data.refresh()
        await data.refresh()

    assert [(one["event"], one["reason"]) for one in told.entries] == [("mapping_data_not_fetched", reason)]
    assert data.current is None


class OneTitle:
    """Knows one title, whose poster is where it says."""

    def __init__(self, poster_url: str) -> None:
        self._poster_url = poster_url

    async def with_episodes(self, series_id: str) -> Title:
        series = Series(SeriesId(series_id), "A", Kind.MOVIE, poster_url=self._poster_url)
        return Title(series, (Episode(1, 1, "A", air_date=datetime.now(UTC).date()),))


@pytest.mark.parametrize(
    ("url", "answer", "turn", "failure", "reason"),
    [
        ("https://images.example/a.jpg", ok, "127.0.0.1", ImageNotFound, "not public"),
        ("https://elsewhere.example/a.jpg", ok, PUBLIC, ImageNotFound, "no poster"),
        ("file:///etc/passwd", ok, PUBLIC, ImageNotFound, "no poster"),
        ("https://images.example/start", leads_to("http://127.0.0.1/"), PUBLIC, ImageNotFound, "no poster"),
        (
            "https://images.example/a.jpg",
            lambda _: httpx.Response(200, headers={"content-type": "image/png"}, content=b" " * (4 * 1024 * 1024)),
            PUBLIC,
            UpstreamUnavailable,
            "too large",
        ),
    ],
    ids=["private", "another host", "file", "redirect", "oversize"],
)
async def test_an_image_that_leads_astray_is_refused_with_a_reason(
    url: str, answer: Answer, turn: str, failure: type[Exception], reason: str
) -> None:
    transport = PublicTransport(httpx.MockTransport(answer), allowed=frozenset(), resolve=Names(turn))
    async with httpx.AsyncClient(transport=transport) as http:
        images = Images(OneTitle(url), http, hosts=frozenset({"images.example"}))
        with pytest.raises(failure, match=reason):
            await images.get("tmdb:movie:1", ImageKind.POSTER)
