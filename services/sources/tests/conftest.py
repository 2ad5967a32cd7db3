"""Sources as they are served: a real database, and hosts that are fakes over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from vod.sources.v1 import sources_service_pb2 as pb2
from vod.sources.v1 import sources_service_pb2_grpc

from vod_fakes.control import Control
from vod_fakes.hls import make_hls
from vod_fakes.serving import Site, bind, http_servers
from vod_rpc import channel
from vod_runtime import Runtime
from vod_sources.service import serve
from vod_sources.settings import Settings
from vod_testing import MovableClock, migrate_schema

if TYPE_CHECKING:
    from typing import Protocol

    from vod.sources.v1.sources_service_pb2_grpc import SourcesServiceAsyncStub

    class Fake(Protocol):
        """Something that is served over HTTP."""

        control: Control
        url: str

        def app(self) -> Starlette: ...


@dataclass
class Sources:
    """Sources that run."""

    stub: SourcesServiceAsyncStub
    clock: MovableClock
    log: list[Mapping[str, Any]] = field(default_factory=list)

    async def listed(self, content: pb2.Content, **wanted: Any) -> list[pb2.Source]:
        return list((await self.stub.ListSources(pb2.ListSourcesRequest(content=content, **wanted))).sources)

    async def read(self, source: pb2.Source, part: str = "", *, offset: int = 0, length: int = 0) -> bytes:
        """Return a part's bytes; the source's own part if none is named."""
        play, _, own = source.path.partition("/")
        request = pb2.ReadPartRequest(play_id=play, part=part or own, offset=offset, length=length)
        return (await self.stub.ReadPart(request)).data


class KeptLog:
    """A log that keeps what it is told."""

    def __init__(self, kept: list[Mapping[str, Any]]) -> None:
        self._kept = kept

    def __getattr__(self, level: str) -> Callable[..., None]:
        return lambda event, **values: self._kept.append({"event": event, "level": level, **values})

    def bind(self, **_: Any) -> KeptLog:
        return self


Run = Callable[..., AbstractAsyncContextManager[Sources]]


@pytest.fixture
def run(pg_dsn: str, make_runtime: Callable[[str], Runtime]) -> Run:
    """Serve sources and fakes; the fakes alone may lie on loopback."""

    @asynccontextmanager
    async def run(*fakes: Fake, **settings: Any) -> AsyncIterator[Sources]:
        await migrate_schema(pg_dsn, "sources")
        clock, log = MovableClock(), list[Mapping[str, Any]]()
        private = ",".join(urlsplit(one.url).netloc for one in fakes)
        told = Settings(
            listen="127.0.0.1:0",
            pg_dsn=SecretStr(pg_dsn),
            **{"archive_base": "", "private_hosts": private, "provider_seconds": 30, "probe_seconds": 30, **settings},
        )
        runtime = replace(make_runtime("sources"), clock=clock, log=KeptLog(log))
        async with (
            serve(told, runtime) as endpoint,
            channel(endpoint.address, make_runtime("test"), timeout=timedelta(seconds=20)) as opened,
        ):
            yield Sources(sources_service_pb2_grpc.SourcesServiceStub(opened), clock, log)

    return run


Serving = Callable[..., AbstractAsyncContextManager[None]]


@pytest.fixture
def serving() -> Serving:
    """Serve fakes over HTTP; each learns its own address."""

    @asynccontextmanager
    async def serving(*fakes: Fake) -> AsyncIterator[None]:
        sites = [Site(fake.app(), fake.control, bind()) for fake in fakes]
        for fake, site in zip(fakes, sites, strict=True):
            fake.url = site.url
        async with http_servers(sites):
            yield

    return serving


@pytest.fixture(scope="session")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small HLS stream of six segments."""
    return make_hls(tmp_path_factory.mktemp("hls")).parent


@pytest.fixture
def film() -> pb2.Content:
    return pb2.Content(
        series_id="tmdb:movie:9101",
        season=1,
        episode=1,
        kind=pb2.CONTENT_KIND_MOVIE,
        title="The Glass Orchard",
        external_ids={"tmdb": "9101", "imdb": "tt9000101"},
    )


@pytest.fixture
def episode() -> pb2.Content:
    return pb2.Content(
        series_id="tmdb:tv:9001",
        season=1,
        episode=2,
        kind=pb2.CONTENT_KIND_SERIES,
        title="Harbor Lights",
        external_ids={"tmdb": "9001", "imdb": "tt9000001"},
    )
