"""OpenSubtitles finds, counts and delivers like the real one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from vod_fakes.library import LIBRARY, SEASON_PACK
from vod_fakes.moviehash import moviehash
from vod_fakes.world import OPENSUBTITLES_KEY, World

KEY = {"api-key": OPENSUBTITLES_KEY}


async def search(outside: World, http: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    params = dict(sorted(query.items()))
    answer = await http.get(f"{outside.opensubtitles.url}/subtitles", params=params, headers=KEY)
    return [row["attributes"] for row in answer.raise_for_status().json()["data"]]


async def download(outside: World, http: httpx.AsyncClient, file_id: int) -> httpx.Response:
    return await http.post(f"{outside.opensubtitles.url}/download", json={"file_id": file_id}, headers=KEY)


@pytest.mark.parametrize("episode", [1, 2, 3, 4])
async def test_every_episode_has_english_and_german(outside: World, http: httpx.AsyncClient, episode: int) -> None:
    found = await search(outside, http, parent_tmdb_id=9001, season_number=1, episode_number=episode)

    assert [row["language"] for row in found] == ["en", "de"]
    assert {row["feature_details"]["episode_number"] for row in found} == {episode}


async def test_languages_narrow_a_search(outside: World, http: httpx.AsyncClient) -> None:
    found = await search(outside, http, tmdb_id=9101, languages="de")

    assert [(row["language"], row["feature_details"]["feature_type"]) for row in found] == [("de", "Movie")]


async def test_parameters_out_of_order_are_redirected(outside: World, http: httpx.AsyncClient) -> None:
    url = f"{outside.opensubtitles.url}/subtitles"
    answer = await http.get(f"{url}?tmdb_id=9101&languages=DE", headers=KEY)

    assert (answer.status_code, answer.headers["location"]) == (301, f"{url}?languages=de&tmdb_id=9101")


async def test_a_moviehash_finds_the_episode_it_belongs_to(outside: World, http: httpx.AsyncClient) -> None:
    digest = moviehash(outside.episode_file(SEASON_PACK.name, 1, 3))
    found = await search(outside, http, languages="en", moviehash=digest)

    assert [(row["feature_details"]["episode_number"], row["moviehash_match"]) for row in found] == [(3, True)]


def test_the_moviehash_of_zeros_is_the_size(tmp_path: Path) -> None:
    (tmp_path / "zeros").write_bytes(bytes(131_072))

    assert moviehash(tmp_path / "zeros") == "0000000000020000"


async def test_the_german_film_subtitle_is_windows_1252(outside: World, http: httpx.AsyncClient) -> None:
    [row] = await search(outside, http, tmdb_id=9101, languages="de")
    link = (await download(outside, http, row["files"][0]["file_id"])).json()["link"]
    content = (await http.get(link)).content

    assert "Äpfel süß" in content.decode("windows-1252")
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")


async def test_a_download_costs_quota_until_none_is_left(outside: World, http: httpx.AsyncClient) -> None:
    outside.opensubtitles.remaining = 1
    file_id = LIBRARY.subtitles[0].file_id
    first, second = await download(outside, http, file_id), await download(outside, http, file_id)

    assert (first.status_code, first.json()["remaining"]) == (200, 0)
    assert second.status_code == 406
    assert {"requests", "remaining", "reset_time_utc", "message"} <= set(second.json())
    assert outside.opensubtitles.downloads == [file_id]


async def test_an_expired_link_is_gone(outside: World, http: httpx.AsyncClient) -> None:
    link = (await download(outside, http, LIBRARY.subtitles[0].file_id)).json()["link"]
    outside.opensubtitles.expire_links()

    assert (await http.get(link)).status_code == 410


async def test_a_wrong_key_and_a_wrong_token_are_refused(outside: World, http: httpx.AsyncClient) -> None:
    url = f"{outside.opensubtitles.url}/infos/user"
    wrong_key = await http.get(url, headers={"api-key": "x"})
    wrong_token = await http.get(url, headers={**KEY, "authorization": "Bearer x"})

    assert (wrong_key.status_code, wrong_token.status_code) == (403, 401)


@pytest.mark.parametrize(("password", "status"), [("demo", 200), ("wrong", 401)])
async def test_a_login_needs_the_password(outside: World, http: httpx.AsyncClient, password: str, status: int) -> None:
    given = {"username": "demo", "password": password}
    answer = await http.post(f"{outside.opensubtitles.url}/login", json=given, headers=KEY)

    assert (answer.status_code, "token" in answer.json()) == (status, status == 200)
