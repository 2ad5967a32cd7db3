"""Pairs, history, renewals and replacements, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from vod.sources.v1 import sources_service_pb2 as pb2

from vod_fakes.control import Hang, Reply
from vod_fakes.direct import FileHost
from vod_fakes.hls import ConsumetApi, HlsHost, in_seconds, make_hls
from vod_rpc import NotFound, Unavailable
from vod_testing import eventually

MP4 = b"\0\0\0\x18ftypisom" + bytes(range(256)) * 100


def mirrors(path: Path, film: pb2.Content, *urls: str, **more: Any) -> Path:
    path.write_text(json.dumps([{"id": film.series_id, "url": url, "quality": "720p", **more} for url in urls]))
    return path


async def parts(sources: Any, source: pb2.Source) -> list[str]:
    """Return the names of the segments in the playlist as a player gets it now."""
    playlist = (await sources.read(source, "v0.m3u8")).decode()
    return [line for line in playlist.splitlines() if not line.startswith("#")]


def events(sources: Any) -> list[str]:
    return [one["event"] for one in sources.log if one["event"].startswith("source_")]


async def test_the_first_healthy_one_is_paired_with_a_spare_on_another_host(
    run: Any, serving: Any, *, stream: Path, film: pb2.Content, tmp_path: Path
) -> None:
    dead, first, second = HlsHost(stream, dies_after=0), HlsHost(stream), HlsHost(stream)
    async with serving(dead, first, second):
        urls = [
            f"{dead.url}/master.m3u8",
            f"{first.url}/master.m3u8",
            f"{first.url}/master.m3u8?other",
            f"{second.url}/master.m3u8",
        ]
        async with run(dead, first, second, mirrors=mirrors(tmp_path / "m.json", film, *urls)) as sources:
            found = await sources.listed(film)
            before = await sources.read(found[0], "v0/s0.ts")
            first.dies_after = 0
            dead.control.seen.clear()
            first.control.seen.clear()
            after = await sources.read(found[0], "v0/s1.ts")

    assert [one.is_healthy for one in found] == [True, True, True, False]
    assert (before, after) == ((stream / "seg0.ts").read_bytes(), (stream / "seg1.ts").read_bytes())
    # Neither was the other address of the same host tried, nor anything resolved again: the spare was ready.
    assert (second.segments, first.control.count("", other=""), len(dead.control.seen)) == (1, 0, 0)


async def test_a_spare_that_counts_its_segments_otherwise_goes_on_at_the_same_moment(
    run: Any, serving: Any, *, stream: Path, film: pb2.Content, tmp_path: Path
) -> None:
    dying, spare = HlsHost(stream), HlsHost(stream, first_number=100)
    async with serving(dying, spare):
        path = mirrors(tmp_path / "m.json", film, f"{dying.url}/master.m3u8", f"{spare.url}/master.m3u8")
        async with run(dying, spare, mirrors=path) as sources:
            first, _ = await sources.listed(film)
            names = await parts(sources, first)
            dying.dies_after = 0
            body = await sources.read(first, names[4])

    assert body == (stream / "seg4.ts").read_bytes()


async def test_a_player_that_comes_again_after_a_switch_gets_the_segments_that_it_then_reads_of(
    run: Any, serving: Any, *, stream: Path, film: pb2.Content, tmp_path: Path
) -> None:
    longer = make_hls(tmp_path / "longer", cut=4).parent
    dying, spare = HlsHost(longer), HlsHost(stream)
    async with serving(dying, spare):
        path = mirrors(tmp_path / "m.json", film, f"{dying.url}/master.m3u8", f"{spare.url}/master.m3u8")
        async with run(dying, spare, mirrors=path) as sources:
            first, _ = await sources.listed(film)
            before = await parts(sources, first)
            begun = await sources.read(first, before[0])
            dying.dies_after = 0
            going_on = [await sources.read(first, part) for part in before[1:]]
            after = await parts(sources, first)
            anew = [await sources.read(first, part) for part in after]

    whole = [(stream / f"seg{number}.ts").read_bytes() for number in range(6)]
    assert (len(before), begun) == (3, (longer / "seg0.ts").read_bytes())
    assert going_on == [whole[2] + whole[3], whole[4] + whole[5]]
    assert anew == whole


async def test_a_host_that_did_badly_comes_after_its_equals(
    run: Any, serving: Any, *, stream: Path, film: pb2.Content, tmp_path: Path
) -> None:
    shaky, steady = HlsHost(stream, dies_after=0), HlsHost(stream)
    async with serving(shaky, steady):
        path = mirrors(tmp_path / "m.json", film, f"{shaky.url}/master.m3u8", f"{steady.url}/master.m3u8")
        async with run(shaky, steady, mirrors=path) as sources:
            await sources.listed(film)
            shaky.dies_after = None
            found = await sources.listed(film)
            steady_first = await sources.read(found[0], "v0/s0.ts")

    assert [one.is_healthy for one in found] == [True, True]
    assert (steady_first != b"", steady.segments, shaky.segments) == (True, 1, 0)


def signed(host: HlsHost, seconds: float) -> Callable[[int], str]:
    return lambda number: f"{host.url}/master.m3u8?token={number}&exp={in_seconds(seconds)}"


async def test_a_source_is_renewed_before_it_ends_and_asked_for_once_only(
    run: Any, serving: Any, stream: Path, film: pb2.Content
) -> None:
    host = HlsHost(stream, tokens={"1", "2"})
    api = ConsumetApi("9101", signed(host, 3_600))
    async with serving(host, api), run(host, consumet_base=api.url) as sources:
        [source] = await sources.listed(film)
        await sources.read(source, "v0/s0.ts")
        sources.clock.advance(timedelta(minutes=53))
        await sources.read(source, "v0/s1.ts")
        asked_before = api.given
        sources.clock.advance(timedelta(minutes=2))
        for number in (2, 3):
            await sources.read(source, f"v0/s{number}.ts")
        await eventually(lambda: None if "source_renewed" in events(sources) else "it is not renewed", within=30)
        for number in (4, 5):
            await sources.read(source, f"v0/s{number}.ts")

    whole = [one for one in host.control.seen if one.path.endswith(".ts") and "range" not in one.headers]
    assert (asked_before, api.given) == (1, 2)
    assert [one.query["token"] for one in whole if one.path[-4] in "0145"] == ["1", "1", "2", "2"]


async def test_who_reads_does_not_wait_for_a_fresh_address_while_the_old_one_is_good(
    run: Any, serving: Any, stream: Path, film: pb2.Content
) -> None:
    host = HlsHost(stream, tokens={"1", "2"})
    api = ConsumetApi("9101", signed(host, 3_600))
    async with serving(host, api), run(host, consumet_base=api.url, provider_seconds=600) as sources:
        [source] = await sources.listed(film)
        api.control.misbehave(Hang())
        sources.clock.advance(timedelta(minutes=55))
        body = await sources.read(source, "v0/s0.ts")
        # The provider is given up after ten seconds, which is said.
        waited_for = [one for one in sources.log if one["event"] == "provider_failed"]
        await eventually(lambda: None if api.control.count("/info") == 2 else "nobody asked for one", within=30)

    assert (body, waited_for) == ((stream / "seg0.ts").read_bytes(), [])


async def test_who_comes_back_after_an_address_has_ended_waits_for_the_fresh_one(
    run: Any, serving: Any, stream: Path, film: pb2.Content
) -> None:
    host = HlsHost(stream, tokens={"1"})
    api = ConsumetApi("9101", lambda n: f"{host.url}/master.m3u8?token={n}&exp={in_seconds(3_600 * n * n)}")
    async with serving(host, api), run(host, consumet_base=api.url) as sources:
        [source] = await sources.listed(film)
        host.tokens = {"2"}
        host.control.seen.clear()
        sources.clock.advance(timedelta(minutes=61))
        body = await sources.read(source, "v0/s0.ts")

    assert body == (stream / "seg0.ts").read_bytes()
    assert {one.query["token"] for one in host.control.seen} == {"2"}


async def test_a_renewal_that_is_not_to_be_had_lets_the_old_address_go_on_and_asks_again_later(
    run: Any, serving: Any, stream: Path, film: pb2.Content
) -> None:
    host = HlsHost(stream, tokens={"1"})
    api = ConsumetApi("9101", signed(host, 600))
    async with serving(host, api), run(host, consumet_base=api.url) as sources:
        [source] = await sources.listed(film)
        api.control.misbehave(Reply(503))
        sources.clock.advance(timedelta(minutes=9, seconds=5))
        read = []
        for number in range(4):
            read.append(await sources.read(source, f"v0/s{number}.ts"))
            await eventually(lambda: None if api.control.count("/info") == 2 else "nobody asked again", within=30)

    assert all(read)
    assert api.control.count("/info") == 2  # when it was listed, and once since


async def test_a_dead_source_whose_address_would_still_be_good_for_hours_is_resolved_again_at_once(
    run: Any, serving: Any, stream: Path, film: pb2.Content
) -> None:
    host = HlsHost(stream, tokens={"1"})
    api = ConsumetApi("9101", signed(host, 36_000))
    async with serving(host, api), run(host, consumet_base=api.url) as sources:
        [source] = await sources.listed(film)
        host.tokens = {"2"}
        host.control.seen.clear()
        await sources.read(source, "v0/s0.ts")

    refused = [one for one in host.control.seen if one.query.get("token") == "1"]
    assert (len(refused), api.given) == (1, 2)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_what_is_refused_in_the_middle_of_a_film_is_resolved_again_and_goes_on(
    run: Any, serving: Any, *, stream: Path, film: pb2.Content, status: int
) -> None:
    host = HlsHost(stream)
    api = ConsumetApi("9101", lambda number: f"{host.url}/master.m3u8?token={number}")
    async with serving(host, api), run(host, consumet_base=api.url) as sources:
        [source] = await sources.listed(film)
        await sources.read(source, "v0/s0.ts")
        host.control.misbehave(Reply(status), query={"token": "1"})
        body = await sources.read(source, "v0/s1.ts")

    assert body == (stream / "seg1.ts").read_bytes()


async def test_a_hiccup_of_the_only_host_is_survived(
    run: Any, serving: Any, *, stream: Path, film: pb2.Content, tmp_path: Path
) -> None:
    host = HlsHost(stream)
    async with serving(host):
        path = mirrors(tmp_path / "m.json", film, f"{host.url}/master.m3u8")
        async with run(host, mirrors=path) as sources:
            [source] = await sources.listed(film)
            host.control.misbehave(Reply(502), times=1, path="/seg1.ts")
            body = await sources.read(source, "v0/s1.ts")

    assert body == (stream / "seg1.ts").read_bytes()


async def test_a_file_goes_on_only_from_the_same_file_elsewhere(
    run: Any, serving: Any, *, film: pb2.Content, tmp_path: Path
) -> None:
    first, other, same = FileHost({"a.mp4": MP4}), FileHost({"a.mp4": MP4[:-1]}), FileHost({"a.mp4": MP4})
    async with serving(first, other, same):
        path = mirrors(tmp_path / "m.json", film, *(f"{one.url}/a.mp4" for one in (first, other, same)))
        async with run(first, other, same, mirrors=path) as sources:
            found = await sources.listed(film)
            first.refuses = lambda _: 500
            body = await sources.read(found[0], offset=5_000, length=100)
            same.refuses = lambda _: 500
            with pytest.raises(Unavailable) as gone:
                await sources.read(found[0], offset=6_000, length=100)
            beyond = await sources.read(found[2], offset=10**6, length=100)

    assert body == MP4[5_000:5_100]
    assert (gone.value.reason, beyond) == ("SOURCE_GONE", b"")


async def test_a_large_file_on_a_host_without_ranges_is_not_well(
    run: Any, serving: Any, *, film: pb2.Content, tmp_path: Path
) -> None:
    small, large = FileHost({"a.mp4": MP4}, knows_ranges=False), FileHost({"a.mp4": MP4 * 400}, knows_ranges=False)
    async with serving(small, large):
        path = mirrors(tmp_path / "m.json", film, f"{small.url}/a.mp4", f"{large.url}/a.mp4")
        async with run(small, large, mirrors=path) as sources:
            found = await sources.listed(film)
            middle = await sources.read(found[0], offset=300, length=10)

    assert ([one.is_healthy for one in found], middle) == ([True, False], MP4[300:310])


async def test_who_comes_back_finds_the_same_source_renewed_or_replaced(
    run: Any, serving: Any, stream: Path, film: pb2.Content
) -> None:
    host = HlsHost(stream, tokens={"1"})
    api = ConsumetApi("9101", lambda number: f"{host.url}/master.m3u8?token={number}")
    async with serving(host, api), run(host, consumet_base=api.url) as sources:
        [source] = await sources.listed(film)
        at_once = (await sources.stub.EnsurePlay(pb2.EnsurePlayRequest(play_id=source.play_id))).source
        host.tokens = {"2"}
        sources.clock.advance(timedelta(days=3))
        later = (await sources.stub.EnsurePlay(pb2.EnsurePlayRequest(play_id=source.play_id))).source
        host.dies_after = 0
        sources.clock.advance(timedelta(minutes=1))
        with pytest.raises(Unavailable) as gone:
            await sources.stub.EnsurePlay(pb2.EnsurePlayRequest(play_id=source.play_id))
        with pytest.raises(NotFound) as unknown:
            await sources.stub.EnsurePlay(pb2.EnsurePlayRequest(play_id="0" * 32))

    assert (source.path, source.path, True) == (at_once.path, later.path, later.is_healthy)
    assert (gone.value.reason, unknown.value.reason) == ("SOURCE_GONE", "PLAY_NOT_FOUND")


async def test_a_source_that_starts_to_lead_astray_is_left_for_its_spare_or_refused_with_the_reason(
    run: Any, serving: Any, *, stream: Path, film: pb2.Content, tmp_path: Path
) -> None:
    astray, spare = HlsHost(stream), HlsHost(stream)
    async with serving(astray, spare):
        path = mirrors(tmp_path / "m.json", film, f"{astray.url}/master.m3u8", f"{spare.url}/master.m3u8")
        async with run(astray, spare, mirrors=path) as sources:
            first, _ = await sources.listed(film)
            to_the_router = Reply(302, headers={"location": "http://192.168.0.1/seg0.ts"})
            astray.control.misbehave(to_the_router)
            body = await sources.read(first, "v0/s0.ts")
            spare.control.misbehave(to_the_router)
            with pytest.raises(Unavailable, match="not public") as refused:
                await sources.read(first, "v0/s1.ts")

    assert (body, refused.value.reason) == ((stream / "seg0.ts").read_bytes(), "SOURCE_REFUSED")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [("file:///etc/passwd\n", "file: address"), ("data:video/mp2t;base64,AA==\n", "data: address")],
)
async def test_a_playlist_that_leads_to_files_is_refused(  # noqa: PLR0917
    run: Any, serving: Any, stream: Path, film: pb2.Content, tmp_path: Path, line: str, sentence: str
) -> None:
    host = HlsHost(stream, first_line=line)
    async with serving(host):
        path = mirrors(tmp_path / "m.json", film, f"{host.url}/master.m3u8")
        async with run(host, mirrors=path) as sources:
            [source] = await sources.listed(film)
            with pytest.raises(Unavailable, match=sentence) as refused:
                await sources.read(source, "v0.m3u8")

    assert (source.is_healthy, refused.value.reason) == (False, "SOURCE_REFUSED")


async def test_playlists_nested_too_deep_and_parts_that_are_none_are_not_found(
    run: Any, serving: Any, *, stream: Path, film: pb2.Content, tmp_path: Path
) -> None:
    host = HlsHost(stream)
    async with serving(host):
        path = mirrors(tmp_path / "m.json", film, f"{host.url}/master.m3u8")
        async with run(host, mirrors=path) as sources:
            [source] = await sources.listed(film)
            for part in ("v0/s99.ts", "a0.m3u8", "../m.json", "file.mp4", "v0/k0.key"):
                with pytest.raises(NotFound) as none:
                    await sources.read(source, part)
                assert none.value.reason == "PART_NOT_FOUND"
            host.control.misbehave(Reply(200, (b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nmaster.m3u8\n")))
            [nested] = await sources.listed(film)
            with pytest.raises(NotFound, match="nested"):
                await sources.read(nested, "v0.m3u8")
