"""Direct sources, played by a real HLS client (FFmpeg) through the public API: whatever happens, it plays on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import av
import httpx
import pytest

from vod_catalog.service import serve as serve_catalog
from vod_catalog.settings import Settings as CatalogSettings
from vod_fakes.control import Reply
from vod_fakes.direct import FileHost
from vod_fakes.hls import ConsumetApi, HlsHost, in_seconds, make_hls
from vod_fakes.library import LIBRARY
from vod_fakes.serving import Site, bind, http_servers
from vod_fakes.tmdb import Tmdb
from vod_gateway.service import serve as serve_gateway
from vod_gateway.settings import Settings as GatewaySettings
from vod_runtime import Runtime
from vod_sources.service import serve as serve_sources
from vod_sources.settings import Settings as SourcesSettings
from vod_testing import eventually, migrate_schema

KEY = "0123456789abcdef0123456789abcdef"
FILM = {"seriesId": "tmdb:movie:9101"}
FRAMES = 120
MP4 = b"\0\0\0\x18ftypisom"

Api = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_hls(tmp_path_factory.mktemp("hls")).parent


@pytest.fixture
def run_api(pg_dsn: str, make_runtime: Callable[[str], Runtime], tmp_path: Path) -> Api:
    """Gateway, catalog and sources on an empty database; `hosts` may lie on loopback, others may not."""

    @asynccontextmanager
    async def run(*hosts: str, resolve: Any = None, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
        tmdb = Tmdb(LIBRARY, key=KEY)
        site = Site(tmdb.app(), tmdb.control, bind())
        await migrate_schema(pg_dsn, "catalog", "sources")
        off = {"archive_base": "", "aniskip_base": "", "anime_lists_url": "", "anime_ids_url": ""}
        catalog = CatalogSettings(
            listen=f"unix:{tmp_path}/catalog.sock", pg_dsn=pg_dsn, tmdb_key=KEY, tmdb_base=f"{site.url}/3", **off
        )
        private = ",".join(urlsplit(one).netloc for one in hosts)
        sources = SourcesSettings(
            listen=f"unix:{tmp_path}/sources.sock", pg_dsn=pg_dsn, archive_base="", private_hosts=private, **settings
        )
        names = ("playback_target", "subtitles_target", "picks_target", "stream_node_target")
        gateway = GatewaySettings(
            http_listen="127.0.0.1:0",
            secret_key="a-secret-key-of-the-tests",
            catalog_target=catalog.listen,
            sources_target=sources.listen,
            **dict.fromkeys(names, f"unix:{tmp_path}/nobody"),
        )
        resolver = {"resolve": resolve} if resolve else {}
        async with (
            http_servers([site]),
            serve_catalog(catalog, make_runtime("catalog")),
            serve_sources(sources, make_runtime("sources"), **resolver),
            serve_gateway(gateway, make_runtime("gateway")) as endpoint,
            httpx.AsyncClient(base_url=f"http://{endpoint.address}", trust_env=False, timeout=30) as client,
        ):
            yield client

    return run


@asynccontextmanager
async def serving(*fakes: HlsHost | ConsumetApi | FileHost) -> AsyncIterator[None]:
    sites = [Site(fake.app(), fake.control, bind()) for fake in fakes]
    for fake, site in zip(fakes, sites, strict=True):
        fake.url = site.url
    async with http_servers(sites):
        yield


def mirrors(path: Path, *urls: str, headers: dict[str, str] | None = None) -> Path:
    rows = [{"id": FILM["seriesId"], "url": url, "type": "hls", "quality": "720p", "headers": headers} for url in urls]
    path.write_text(json.dumps(rows))
    return path


async def listed(api: httpx.AsyncClient, **limits: int) -> list[dict[str, Any]]:
    answers: list[httpx.Response] = []

    async def why_not_yet() -> str | None:
        answers.append(await api.get("/v1/sources", params={**FILM, **limits}))
        return answers[-1].text if answers[-1].status_code == 504 else None  # too late: who wants it asks again

    await eventually(why_not_yet, within=60)
    assert answers[-1].status_code == 200, answers[-1].text
    found: list[dict[str, Any]] = answers[-1].json()
    return found


async def frames_of(api: httpx.AsyncClient, source: dict[str, Any]) -> int:
    """Play a source to its end and count what was shown."""

    def play() -> int:
        with av.open(f"{api.base_url}{source['url']}".replace("//v1", "/v1"), timeout=60.0) as container:
            return sum(1 for _ in container.decode(video=0))

    return await asyncio.to_thread(play)


def asked_hosts(texts: Sequence[str], hosts: Sequence[HlsHost]) -> list[str]:
    return [host.url for host in hosts if any(urlsplit(host.url).netloc in text for text in texts)]


async def test_a_source_that_needs_headers_plays_without_the_viewer_knowing(
    run_api: Api, stream: Path, tmp_path: Path
) -> None:
    host = HlsHost(stream, needs={"referer": "https://player.example/"})
    async with serving(host):
        path = mirrors(tmp_path / "m.json", f"{host.url}/master.m3u8", headers={"Referer": "https://player.example/"})
        async with run_api(host.url, mirrors=path) as api:
            [source] = await listed(api)
            shown = await frames_of(api, source)
            master = await api.get(source["url"])
            media = await api.get(source["url"].replace("master", "v0"))

    assert (source["provider"], source["type"], source["healthy"], shown) == ("mirror", "hls", True, FRAMES)
    assert asked_hosts([source["url"], master.text, media.text], [host]) == []
    assert "no-store" in master.headers["cache-control"]


async def test_an_expiring_source_is_renewed_before_it_ends(run_api: Api, stream: Path) -> None:
    host = HlsHost(stream, tokens={"1", "2"})
    api_of_it = ConsumetApi(
        "9101", lambda n: f"{host.url}/master.m3u8?token={n}&exp={in_seconds(4 if n == 1 else 3600)}"
    )
    async with serving(host, api_of_it), run_api(host.url, consumet_base=api_of_it.url) as api:
        [source] = await listed(api)

        async def why_not() -> str | None:
            await api.get(source["url"].replace("master.m3u8", "v0/s0.ts"))
            renewed = [one for one in host.control.seen if one.query.get("token") == "2" and "range" not in one.headers]
            return None if renewed else "it was not renewed"

        await eventually(why_not, within=60)
        host.tokens = {"2"}
        host.control.seen.clear()
        shown = await frames_of(api, source)

    whole = [one for one in host.control.seen if one.path.endswith(".ts")]
    assert (FRAMES, {"2"}) == (shown, {one.query["token"] for one in whole})


async def test_high_bitrates_come_first_as_far_as_the_link_carries_them(run_api: Api, tmp_path: Path) -> None:
    host = FileHost({"small.mp4": MP4 + bytes(2_000_000), "large.mp4": MP4 + bytes(20_000_000)})
    async with serving(host):
        rows = [{"id": FILM["seriesId"], "url": f"{host.url}/{n}.mp4", "quality": n} for n in ("small", "large")]
        path = tmp_path / "m.json"
        path.write_text(json.dumps(rows))
        async with run_api(host.url, mirrors=path) as api:
            wide = await listed(api)
            narrow = await listed(api, maxBitrate=wide[0]["bitrate"])

    assert [(one["quality"], one["fits"]) for one in wide] == [("large", True), ("small", True)]
    assert wide[0]["bitrate"] == pytest.approx(10 * wide[1]["bitrate"], rel=0.01)
    assert [(one["quality"], one["fits"]) for one in narrow] == [("small", True), ("large", False)]


async def test_an_address_that_is_refused_while_it_plays_is_asked_for_anew(run_api: Api, stream: Path) -> None:
    host = HlsHost(stream, tokens={"1"})
    api_of_it = ConsumetApi("9101", lambda n: f"{host.url}/master.m3u8?token={n}")
    async with serving(host, api_of_it), run_api(host.url, consumet_base=api_of_it.url) as api:
        [source] = await listed(api)
        first = await api.get(source["url"].replace("master.m3u8", "v0/s0.ts"))
        host.tokens = {"2", "3"}
        shown = await frames_of(api, source)

    assert (first.status_code, shown) == (200, FRAMES)


async def test_a_dying_source_goes_on_from_its_spare_on_another_host(
    run_api: Api, stream: Path, tmp_path: Path
) -> None:
    dying, spare = HlsHost(stream, dies_after=3), HlsHost(stream)
    async with serving(dying, spare):
        path = mirrors(tmp_path / "m.json", f"{dying.url}/master.m3u8", f"{spare.url}/master.m3u8")
        async with run_api(dying.url, spare.url, mirrors=path) as api:
            first, _ = await listed(api)
            shown = await frames_of(api, first)

    assert (shown, dying.segments) == (FRAMES, 3)
    assert spare.segments >= 3


async def test_a_source_that_dies_before_a_spare_of_another_cut_loses_nothing(
    run_api: Api, stream: Path, tmp_path: Path
) -> None:
    longer = make_hls(tmp_path / "longer", cut=4).parent
    dying, spare = HlsHost(longer, dies_after=1), HlsHost(stream)
    async with serving(dying, spare):
        path = mirrors(tmp_path / "m.json", f"{dying.url}/master.m3u8", f"{spare.url}/master.m3u8")
        async with run_api(dying.url, spare.url, mirrors=path) as api:
            first, _ = await listed(api)
            shown = [await frames_of(api, first) for _ in range(2)]

    assert (shown, dying.segments) == ([FRAMES, FRAMES], 1)


async def test_when_nothing_is_well_any_more_that_is_said(run_api: Api, stream: Path, tmp_path: Path) -> None:
    host = HlsHost(stream)
    async with serving(host):
        path = mirrors(tmp_path / "m.json", f"{host.url}/master.m3u8")
        async with run_api(host.url, mirrors=path) as api:
            [source] = await listed(api)
            host.dies_after = 0
            answer = await api.get(source["url"])

    assert (answer.status_code, answer.json()["reason"]) == (503, "SOURCE_GONE")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/master.m3u8",
        "http://[::1]:1/master.m3u8",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/master.m3u8",
        "http://[::ffff:127.0.0.1]:1/master.m3u8",
        "http://rebinding.example/master.m3u8",
    ],
)
async def test_private_addresses_are_refused_with_a_reason(run_api: Api, tmp_path: Path, url: str) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["93.184.215.14", "127.0.0.1"]

    async with run_api(mirrors=mirrors(tmp_path / "m.json", url), resolve=resolve) as api:
        [source] = await listed(api)
        answer = await api.get(source["url"])

    assert not source["healthy"]
    assert (answer.status_code, answer.json()["reason"]) == (503, "SOURCE_REFUSED")
    assert "not public" in answer.json()["detail"]


async def refusal(run_api: Api, host: HlsHost, path: Path) -> str:
    async with run_api(host.url, mirrors=mirrors(path, f"{host.url}/master.m3u8")) as api:
        [source] = await listed(api)
        answers = [await api.get(source["url"].replace("master", name)) for name in ("master", "v0")]
    refused = [one.json() for one in answers if one.status_code == 503]
    assert [one["reason"] for one in refused] == ["SOURCE_REFUSED"] * len(refused)
    return str(refused[0]["detail"])


async def test_a_redirect_to_a_private_address_is_refused(run_api: Api, stream: Path, tmp_path: Path) -> None:
    host = HlsHost(stream)
    async with serving(host):
        host.control.misbehave(Reply(302, headers={"location": "http://192.168.1.1/master.m3u8"}))
        detail = await refusal(run_api, host, tmp_path / "m.json")

    assert "not public" in detail


async def test_a_file_in_a_playlist_is_refused(run_api: Api, stream: Path, tmp_path: Path) -> None:
    host = HlsHost(stream, first_line="file:///etc/passwd\n")
    async with serving(host):
        detail = await refusal(run_api, host, tmp_path / "m.json")

    assert "file:" in detail


async def test_a_playlist_that_never_ends_is_refused(run_api: Api, stream: Path, tmp_path: Path) -> None:
    host = HlsHost(stream)
    async with serving(host):
        host.control.misbehave(Reply(200, b"#EXTM3U\n" + b"#" * 3_000_000))
        detail = await refusal(run_api, host, tmp_path / "m.json")

    assert "more than" in detail
