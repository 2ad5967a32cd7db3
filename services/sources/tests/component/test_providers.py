"""Every shape of provider, and what is said when one is wrong."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from vod.sources.v1 import sources_service_pb2 as pb2

from vod_fakes.archive import InternetArchive, Item
from vod_fakes.control import CutBody, Delay, Fault, html_error, json_reply, too_many_requests
from vod_fakes.direct import ConsumetShows, FileHost, StremioApi, VidlinkApi
from vod_fakes.hls import HlsHost
from vod_sources.settings import Settings

MP4 = b"\0\0\0\x18ftypisom" + b"film" * 2_000


def told(sources: list[pb2.Source]) -> list[tuple[str, str, int, bool]]:
    return [(one.provider, one.quality, one.type, one.is_healthy) for one in sources]


async def test_an_episode_of_a_consumet_shaped_api_is_found_by_season_and_number(
    run: Any, serving: Any, stream: Path, episode: pb2.Content
) -> None:
    host = HlsHost(stream, needs={"referer": "https://player.example/"})
    api = ConsumetShows("9001", [], headers={"Referer": "https://player.example/", "X": None}, season="1", episode="2")
    async with serving(host, api):
        api.sources = [
            {"url": f"{host.url}/master.m3u8", "quality": "1080p", "isM3U8": True},
            {"url": f"{host.url}/dash.mpd", "quality": "1080p", "isDASH": True},
            {"url": "magnet:?xt=urn:btih:00"},
            {"quality": "720p"},
        ]
        async with run(host, consumet_base=api.url) as sources:
            found = await sources.listed(episode)
            playlist = await sources.read(found[0])

    assert told(found) == [("consumet", "1080p", pb2.SOURCE_TYPE_HLS, True)]
    assert b"#EXT-X-STREAM-INF" in playlist


async def test_a_vidlink_shaped_api_gives_a_playlist_or_files_by_quality(
    run: Any, serving: Any, stream: Path, film: pb2.Content, episode: pb2.Content
) -> None:
    host = HlsHost(stream)
    files = FileHost({"1080.mp4": MP4, "720.mp4": MP4[:5_000]})
    api = VidlinkApi({})
    async with serving(host, files, api):
        api.streams = {
            # A path without a host is the API's own.
            "movie/9101": {"type": "hls", "playlist": f"{host.url}/master.m3u8", "captions": []},
            "tv/9001/1/2": [
                {
                    "type": "file",
                    "playlist": None,
                    "qualities": {
                        "720": {"type": "mp4", "url": f"{files.url}/720.mp4"},
                        "1080": {"type": "mp4", "url": f"{files.url}/1080.mp4"},
                        "unknown": {"type": "mp4"},
                    },
                }
            ],
        }
        async with run(host, files, vidlink_base=f"{api.url}/api/") as sources:
            films = await sources.listed(film)
            episodes = await sources.listed(episode)
            start = await sources.read(episodes[0], length=12)

    assert told(films) == [("vidlink", "auto", pb2.SOURCE_TYPE_HLS, True)]
    assert told(episodes) == [
        ("vidlink", "1080", pb2.SOURCE_TYPE_MP4, True),
        ("vidlink", "720", pb2.SOURCE_TYPE_MP4, True),
    ]
    assert start == MP4[:12]


async def test_a_stremio_add_on_is_asked_by_imdbs_id_and_its_magnets_are_left_to_the_search(
    run: Any, serving: Any, film: pb2.Content, episode: pb2.Content
) -> None:
    files = FileHost({"film.mp4": MP4, "episode.mp4": MP4})
    files.refuses = lambda request: 0 if request.headers.get("x-player") == "one" else 403
    hints = {"notWebReady": True, "proxyHeaders": {"request": {"X-Player": "one"}}}
    addon = StremioApi({})
    async with serving(files, addon):
        addon.streams = {
            ("movie", "tt9000101"): [
                {
                    "name": "Host\n4K",
                    "title": "The Glass Orchard 2023",
                    "url": f"{files.url}/film.mp4",
                    "behaviorHints": hints,
                },
                {"name": "Swarm", "infoHash": "a" * 40, "fileIdx": 0},
                {"name": "Tube", "ytId": "x"},
                {"externalUrl": "https://shop.example/"},
            ],
            ("series", "tt9000001:1:2"): [
                {
                    "description": "Harbor.Lights.2024.1920x1080",
                    "url": f"{files.url}/episode.mp4",
                    "behaviorHints": hints,
                }
            ],
        }
        async with run(files, stremio_addon=f"{addon.url}/manifest.json") as sources:
            [one] = await sources.listed(film)
            [other] = await sources.listed(episode)
            start = await sources.read(one, length=12)

    assert (one.quality, one.bitrate, one.is_healthy) == ("Host 4K The Glass Orchard 2023", 2160 * 5000, True)
    assert (1080 * 5000, MP4[:12]) == (other.bitrate, start)


async def test_an_anime_is_looked_for_under_all_its_names(run: Any, serving: Any, stream: Path, tmp_path: Path) -> None:
    host, files = HlsHost(stream), FileHost({f"{n}.mp4": MP4 for n in range(4)})
    shows, links, addon = ConsumetShows("9301", [], season="1", episode="5"), VidlinkApi({}), StremioApi({})
    anime = pb2.Content(
        series_id="mal:anime:9201",
        season=2,
        episode=2,
        kind=pb2.CONTENT_KIND_ANIME,
        external_ids={"mal": "9201"},
        other_names=[
            pb2.OtherName(series_id="mal:anime:9202", season=1, episode=2, external_ids={"mal": "9202"}),
            pb2.OtherName(
                series_id="tmdb:tv:9301", season=1, episode=5, external_ids={"tmdb": "9301", "imdb": "tt9000301"}
            ),
        ],
    )
    names = ("mal_anime_9201 S02E02", "mal_anime_9202 S01E02", "tmdb_tv_9301 S01E05")
    async with serving(host, files, shows, links, addon):
        for n, name in enumerate(names):
            (tmp_path / f"{name}.strm").write_text(f"{files.url}/{n}.mp4\n")
        shows.sources = [{"url": f"{host.url}/master.m3u8", "isM3U8": True}]
        links.streams = {"tv/9301/1/5": {"qualities": {"720": {"type": "mp4", "url": f"{files.url}/3.mp4"}}}}
        addon.streams = {("series", "tt9000301:1:5"): [{"name": "A", "url": f"{files.url}/3.mp4?a=1"}]}
        settings = {"consumet_base": shows.url, "vidlink_base": f"{links.url}/api/", "stremio_addon": addon.url}
        async with run(host, files, mirrors=tmp_path, **settings) as sources:
            found = await sources.listed(anime)

    assert sorted(one.provider for one in found) == ["consumet", *["mirror"] * 3, "stremio", "vidlink"]
    assert {one.is_healthy for one in found} == {True}


async def test_a_folder_of_strm_files_is_a_list_of_mirrors(
    run: Any, serving: Any, film: pb2.Content, episode: pb2.Content, tmp_path: Path
) -> None:
    files = FileHost({"a.mp4": MP4, "b.mp4": MP4})
    files.refuses = lambda request: 0 if request.headers.get("referer", "") == "https://p.example/?a=1" else 403
    async with serving(files):
        headers = "Referer=https%3A%2F%2Fp.example%2F%3Fa%3D1&User-Agent=Box"
        (tmp_path / "tmdb_movie_9101.strm").write_text(f"﻿# one per line\n\n{files.url}/a.mp4|{headers}\n")
        (tmp_path / "tmdb_tv_9001 S01E02.strm").write_text(f"/media/local.mkv\n{files.url}/b.mp4|{headers}\n")
        async with run(files, mirrors=tmp_path) as sources:
            found = [await sources.listed(one) for one in (film, episode)]
            episode.episode = 3
            none = await sources.listed(episode)

    assert [told(one) for one in found] == [[("mirror", "auto", pb2.SOURCE_TYPE_MP4, True)]] * 2
    assert none == []


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (html_error(503), "It answered with status 503."),
        (too_many_requests(retry_after="60"), "It answered with status 429."),
        (html_error(200), "It answered with something else than JSON."),
        (CutBody(5), "It did not answer."),
        (Delay(timedelta(seconds=30)), "It took too long."),
    ],
)
async def test_a_provider_that_fails_is_left_out_with_a_sentence_and_the_others_answer(
    run: Any, serving: Any, *, stream: Path, film: pb2.Content, tmp_path: Path, fault: Fault, sentence: str
) -> None:
    host, api = HlsHost(stream), VidlinkApi({"movie/9101": {"playlist": "https://cdn.example/a.m3u8"}})
    path = tmp_path / "mirrors.json"
    async with serving(host, api):
        api.control.misbehave(fault)
        path.write_text(json.dumps([{"id": film.series_id, "url": f"{host.url}/master.m3u8"}]))
        # Only who waits for nothing needs a short patience: the one that is well may be slow on a busy machine.
        patience = 2.0 if isinstance(fault, Delay) else 30.0
        async with run(host, vidlink_base=f"{api.url}/api", mirrors=path, provider_seconds=patience) as sources:
            found = await sources.listed(film)

    assert told(found) == [("mirror", "auto", pb2.SOURCE_TYPE_HLS, True)]
    assert [(one["provider"], one["problem"]) for one in sources.log if one["event"] == "provider_failed"] == [
        ("vidlink", sentence)
    ]


@pytest.mark.parametrize(
    "bad",
    [
        "http://[oops/x.mp4",
        "http://\u2100.example/x.mp4",
        "http://\ud800.example/x.mp4",
        "http://\0.example/x.mp4",
    ],
)
async def test_a_malformed_address_is_skipped_and_the_others_are_served(
    run: Any, serving: Any, *, film: pb2.Content, tmp_path: Path, bad: str
) -> None:
    files, api = FileHost({"a.mp4": MP4, "b.mp4": MP4}), VidlinkApi({})
    path = tmp_path / "mirrors.json"
    async with serving(files, api):
        urls = [bad, f"{files.url}/a.mp4"]
        path.write_text(json.dumps([{"id": film.series_id, "url": one} for one in urls]))
        qualities = {"720": {"url": bad}, "480": {"url": f"{files.url}/b.mp4"}}
        api.control.misbehave(json_reply({"stream": {"playlist": bad, "qualities": qualities}}))
        async with run(files, vidlink_base=f"{api.url}/api", mirrors=path) as sources:
            found = await sources.listed(film)

    assert sorted(told(found)) == [
        ("mirror", "auto", pb2.SOURCE_TYPE_MP4, True),
        ("vidlink", "480", pb2.SOURCE_TYPE_MP4, True),
    ]


async def test_a_mirror_list_of_malformed_addresses_only_is_told_in_a_sentence(
    run: Any, film: pb2.Content, tmp_path: Path
) -> None:
    path = tmp_path / "mirrors.json"
    path.write_text(json.dumps([{"id": film.series_id, "url": "http://[oops/x.mp4"}]))
    async with run(mirrors=path) as sources:
        found = await sources.listed(film)

    assert found == []
    assert [one["problem"] for one in sources.log if one["event"] == "provider_failed"] == [
        f"{path}, {film.series_id}: `url` must be an http(s) address."
    ]


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ({"name": "\ud800.mp4", "format": "h.264"}, "UnicodeEncodeError"),
        ({"name": "a.mp4", "format": "h.264", "size": "5000", "length": "1e-310"}, "OverflowError"),
    ],
)
async def test_data_that_breaks_one_provider_leaves_the_others(
    run: Any, serving: Any, *, film: pb2.Content, tmp_path: Path, file: dict[str, str], kind: str
) -> None:
    files, archive = FileHost({"a.mp4": MP4}), InternetArchive([])
    path = tmp_path / "mirrors.json"
    film.series_id = "ia:item:glass"
    async with serving(files, archive):
        archive.control.misbehave(json_reply({"files": [file]}))
        path.write_text(json.dumps([{"id": film.series_id, "url": f"{files.url}/a.mp4"}]))
        async with run(files, archive_base=archive.url, mirrors=path) as sources:
            found = await sources.listed(film)

    assert told(found) == [("mirror", "auto", pb2.SOURCE_TYPE_MP4, True)]
    assert [(one["provider"], one["problem"]) for one in sources.log if one["event"] == "provider_failed"] == [
        ("internet-archive", f"What it answered can't be read ({kind}).")
    ]


async def test_a_quality_that_can_not_be_kept_is_cleaned(
    run: Any, serving: Any, film: pb2.Content, tmp_path: Path
) -> None:
    files = FileHost({"a.mp4": MP4})
    path = tmp_path / "mirrors.json"
    async with serving(files):
        path.write_text(json.dumps([{"id": film.series_id, "url": f"{files.url}/a.mp4", "quality": "\ud800720p\0"}]))
        async with run(files, mirrors=path) as sources:
            found = await sources.listed(film)

    assert told(found) == [("mirror", "720p", pb2.SOURCE_TYPE_MP4, True)]


@pytest.mark.parametrize("body", [[], {"stream": None}, {"stream": {"qualities": [1], "playlist": 5}}, {"stream": "x"}])
async def test_nonsense_under_status_200_is_no_source(run: Any, serving: Any, film: pb2.Content, body: object) -> None:
    api = VidlinkApi({})
    async with serving(api):
        api.control.misbehave(json_reply(body))
        async with run(vidlink_base=f"{api.url}/api") as sources:
            assert await sources.listed(film) == []


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("{", "is not JSON"),
        ('{"id": 1}', "must be a JSON array of objects"),
        ('[{"id": "tmdb:movie:9101", "url": "ftp://x"}]', "tmdb:movie:9101: `url` must be an http(s) address"),
    ],
)
async def test_a_wrong_mirror_list_is_told_in_a_sentence(
    run: Any, film: pb2.Content, tmp_path: Path, written: str, sentence: str
) -> None:
    path = tmp_path / "mirrors.json"
    path.write_text(written)
    async with run(mirrors=path) as sources:
        found = await sources.listed(film)

    assert found == []
    assert [sentence in one["problem"] for one in sources.log if one["event"] == "provider_failed"] == [True]


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("VOD_SOURCES_CONSUMET", "api.example/base", "must be a whole address"),
        ("VOD_SOURCES_STREMIO", "stremio://addon.example/manifest.json", "must be a whole address"),
        ("VOD_SOURCES_MIRRORS", "/nowhere/mirrors.json", "there is no file or folder /nowhere/mirrors.json"),
        ("VOD_EDITORIAL", "/nowhere/films.toml", "there is no file or folder /nowhere/films.toml"),
        ("VOD_SOURCES_PRIVATE_HOSTS", "192.168.1.5", "192.168.1.5 must be host:port"),
    ],
)
def test_a_wrong_setting_is_told_in_a_sentence(variable: str, value: str, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence) as failure:
        Settings(PG_DSN="postgres://", **{variable: value})

    assert variable in str(failure.value)


async def test_a_curated_film_comes_first_whatever_others_have(
    run: Any, serving: Any, film: pb2.Content, tmp_path: Path
) -> None:
    files = FileHost({"own.mp4": MP4, "other.mp4": MP4})
    film_file = tmp_path / "open.mp4"
    film_file.write_bytes(MP4)
    archive = InternetArchive([Item("glass", "The Glass Orchard", films={"glass.mp4": film_file})])
    mirrors, curated = tmp_path / "mirrors.json", tmp_path / "films.toml"
    async with serving(files, archive):
        mirrors.write_text(json.dumps([{"id": film.series_id, "url": f"{files.url}/other.mp4", "quality": "2160p"}]))
        curated.write_text(f"""
            [[collection]]
            name = "House favourites"
            [[collection.film]]
            title = "The Glass Orchard"
            ids = ["imdb:tt9000101"]
            archive = "glass"
            [[collection.film.source]]
            url = "{files.url}/own.mp4"
            quality = "480p"
        """)
        more = {"mirrors": mirrors, "editorial": curated, "archive_base": archive.url}
        async with run(files, archive, **more) as sources:
            all_ = await sources.listed(film)
            only = await sources.listed(film, scope=pb2.SCOPE_EDITORIAL)
            film.external_ids["imdb"] = "tt0"
            none = await sources.listed(film, scope=pb2.SCOPE_EDITORIAL)

    assert [(one.provider, one.collection) for one in all_] == [
        ("editorial", "House favourites"),
        ("internet-archive", "House favourites"),
        ("mirror", ""),
        ("internet-archive", "House favourites"),  # the torrent, which did not answer
    ]
    assert [one.provider for one in only] == ["editorial", "internet-archive", "internet-archive"]
    assert none == []


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("[[collection", "are wrong"),
        ("[[collection]]\n[[collection.film]]\ntitle='A'", "collection 1 needs a `name`"),
        ("[[collection]]\nname='B'\n[[collection.film]]\ntitle='A'", "'A' needs `ids`"),
        ("[[collection]]\nname='B'\n[[collection.film]]\ntitle='A'\nids=['x']", "'A' needs an `archive` item or"),
    ],
)
async def test_a_wrong_collection_is_told_in_a_sentence(
    run: Any, film: pb2.Content, tmp_path: Path, written: str, sentence: str
) -> None:
    path = tmp_path / "films.toml"
    path.write_text(written)
    async with run(editorial=path) as sources:
        await sources.listed(film)

    assert [sentence in one["problem"] for one in sources.log if one["event"] == "provider_failed"] == [True]
