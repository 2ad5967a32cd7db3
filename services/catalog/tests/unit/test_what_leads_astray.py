"""What catalog fetches from addresses in others' data: refused with a reason where it leads astray."""

from collections.abc import Callable, Sequence
from datetime import datetime

import httpx
import pytest
import structlog
from structlog.testing import LogCapture

from vod_catalog.domain import Kind, Series, SeriesId
from vod_catalog.errors import ImageNotFound, UpstreamUnavailable
from vod_catalog.images import ImageKind, Images, image_http
from vod_catalog.mapping_data import MappingData
from vod_runtime import SystemClock
from vod_web.public import PublicTransport

PUBLIC = "93.184.216.34"
Answer = Callable[[httpx.Request], httpx.Response]


class Names:
    """A resolver that gives a name its addresses by turns."""

    def __init__(self, *turns: str) -> None:
        self._turns = list(turns)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        return [self._turns.pop(0)]


def client(answer: Answer, *turns: str) -> httpx.AsyncClient:
    transport = PublicTransport(httpx.MockTransport(answer), allowed=frozenset(), resolve=Names(*turns))
    return httpx.AsyncClient(transport=transport, follow_redirects=True)


def ok(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text=f"{request.url.host} as {request.headers['host']}")


def leads_to(target: str) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"location": target}) if request.url.path == "/start" else ok(request)

    return answer


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

    async def series(self, series_id: str) -> Series:
        return Series(SeriesId(series_id), "A", Kind.MOVIE, poster_url=self._poster_url)


@pytest.mark.parametrize(
    ("url", "answer", "turn", "failure", "reason"),
    [
        ("https://images.example/a.jpg", ok, "127.0.0.1", ImageNotFound, "not public"),
        ("https://elsewhere.example/a.jpg", ok, PUBLIC, ImageNotFound, "no poster"),
        ("file:///etc/passwd", ok, PUBLIC, ImageNotFound, "no poster"),
        ("https://images.example/start", leads_to("http://127.0.0.1/"), PUBLIC, ImageNotFound, "not public"),
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
    async with image_http(transport) as http:
        images = Images(OneTitle(url), http, hosts=frozenset({"images.example"}))
        with pytest.raises(failure, match=reason):
            await images.get("tmdb:movie:1", ImageKind.POSTER)
