"""What may be fetched, over a transport that tells where connections went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
import pytest

from vod_sources.errors import SourceRefused
from vod_sources.guard import Guard, UnwellError

PUBLIC = "93.184.215.14"


@dataclass
class Web:
    """An internet of one answer; remembers where connections went, and in whose name."""

    answers: list[httpx.Response] = field(default_factory=list)
    seen: list[httpx.Request] = field(default_factory=list)
    addresses: list[Sequence[str]] = field(default_factory=list)
    """What the resolver says, call by call; the last one stays."""

    def guard(self, *allowed: str) -> Guard:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer), trust_env=False)
        return Guard(http, resolve=self._resolve, allowed=frozenset(allowed))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return self.answers.pop(0) if self.answers else httpx.Response(200, content=b"film")

    async def _resolve(self, host: str, port: int) -> Sequence[str]:
        return self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]


def redirect(to: str) -> httpx.Response:
    return httpx.Response(302, headers={"location": to})


async def test_the_connection_goes_to_the_address_that_was_checked_in_the_name_of_the_host() -> None:
    web = Web(addresses=[[PUBLIC], ["127.0.0.1"]])

    found = await web.guard().fetch("https://cdn.example:8443/a?b=1", headers={"Referer": "x"}, most=100)

    [request] = web.seen
    assert (found.body, request.url.host, request.url.port) == (b"film", PUBLIC, 8443)
    assert (request.headers["host"], request.extensions["sni_hostname"]) == ("cdn.example:8443", "cdn.example")


async def test_a_name_that_changes_its_mind_is_refused_when_it_is_asked_for_again() -> None:
    web = Web(addresses=[[PUBLIC], ["127.0.0.1"]])
    guard = web.guard()
    await guard.fetch("http://cdn.example/a", headers={}, most=100)

    with pytest.raises(SourceRefused, match="not public"):
        await guard.fetch("http://cdn.example/b", headers={}, most=100)

    assert [request.url.host for request in web.seen] == [PUBLIC]


async def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    web = Web(addresses=[[PUBLIC, "10.0.0.7"]])

    with pytest.raises(SourceRefused, match="not public"):
        await web.guard().fetch("http://cdn.example/a", headers={}, most=100)

    assert web.seen == []


@pytest.mark.parametrize(
    "target",
    ["http://10.1.2.3/x", "http://[::1]/x", "http://169.254.169.254/latest", "file:///etc/passwd", "//0.0.0.0/"],
)
async def test_a_redirect_to_a_private_address_or_a_file_is_refused(target: str) -> None:
    web = Web(addresses=[[PUBLIC]], answers=[redirect(target)])

    with pytest.raises(SourceRefused, match=r"not public|may not lead to"):
        await web.guard().fetch("http://cdn.example/a", headers={}, most=100)

    assert len(web.seen) == 1


async def test_a_redirect_is_checked_by_name_and_loses_the_secrets_of_the_host_before() -> None:
    web = Web(addresses=[[PUBLIC]], answers=[redirect("https://other.example/b")])
    headers = {"Cookie": "secret", "Authorization": "secret", "Referer": "kept"}

    await web.guard().fetch("http://cdn.example/a", headers=headers, most=100)

    first, second = web.seen
    assert (first.headers.get("cookie"), second.headers.get("cookie")) == ("secret", None)
    assert (second.headers.get("authorization"), second.headers["referer"]) == (None, "kept")


async def test_redirects_end_some_time() -> None:
    web = Web(addresses=[[PUBLIC]], answers=[redirect("/again") for _ in range(10)])

    with pytest.raises(SourceRefused, match="more than 5 times"):
        await web.guard().fetch("http://cdn.example/a", headers={}, most=100)


@pytest.mark.parametrize(
    "url", ["ftp://cdn.example/a", "file:///etc/passwd", "http:///a", "http://user:pw@cdn.example/"]
)
async def test_only_the_web_is_fetched_from(url: str) -> None:
    with pytest.raises(SourceRefused, match="may not lead to"):
        await Web(addresses=[[PUBLIC]]).guard().fetch(url, headers={}, most=100)


async def test_an_answer_that_is_too_large_is_refused_while_it_is_read() -> None:
    web = Web(addresses=[[PUBLIC]], answers=[httpx.Response(200, content=b"x" * 101)])

    with pytest.raises(SourceRefused, match="more than 100 bytes"):
        await web.guard().fetch("http://cdn.example/a", headers={}, most=100)


async def test_the_middle_of_a_file_on_a_host_without_ranges_is_refused_instead_of_read_over() -> None:
    web = Web(addresses=[[PUBLIC]], answers=[httpx.Response(200, content=b"x" * 1000)])

    with pytest.raises(SourceRefused, match="does not answer ranges"):
        await web.guard().fetch("http://cdn.example/a", headers={}, most=100, first=10**9, last=10**9 + 9)


async def test_another_part_than_was_asked_for_is_not_taken() -> None:
    answer = httpx.Response(206, content=b"x" * 10, headers={"content-range": "bytes 0-9/100"})
    web = Web(addresses=[[PUBLIC]], answers=[answer])

    with pytest.raises(UnwellError):
        await web.guard().fetch("http://cdn.example/a", headers={}, most=100, first=50, last=59)


async def test_beyond_the_end_there_are_no_bytes_but_a_size() -> None:
    web = Web(addresses=[[PUBLIC]], answers=[httpx.Response(416, headers={"content-range": "bytes */100"})])

    found = await web.guard().fetch("http://cdn.example/a", headers={}, most=100, first=500, last=509)

    assert (found.body, found.total) == (b"", 100)


async def test_a_size_that_no_file_has_counts_for_nothing() -> None:
    answer = httpx.Response(206, content=b"x" * 10, headers={"content-range": f"bytes 0-9/{'9' * 400}"})
    web = Web(addresses=[[PUBLIC]], answers=[answer])

    found = await web.guard().fetch("http://cdn.example/a", headers={}, most=100, first=0, last=9)

    assert found.total == 10


async def test_private_hosts_are_open_by_host_and_port_only() -> None:
    web = Web(addresses=[["127.0.0.1"]])
    guard = web.guard("127.0.0.1:8000")

    await guard.fetch("http://127.0.0.1:8000/a", headers={}, most=100)

    with pytest.raises(SourceRefused):
        await guard.fetch("http://127.0.0.1:8001/a", headers={}, most=100)
