"""The video files are what their names promise, and the season pack misleads."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from vod_fakes.library import LIBRARY, SEASON_PACK
from vod_fakes.media import Profile, Progress, location, make_media, seconds_of
from vod_fakes.shapes import Clip, Container, Release, Role
from vod_fakes.world import shared_folder

EVERY_CLIP = [pytest.param(r, c, id=c.path) for r in LIBRARY.releases for c in r.clips]


@pytest.fixture
async def media() -> Path:
    return await make_media(shared_folder(), profile=Profile.TINY)


@pytest.mark.parametrize(("release", "clip"), EVERY_CLIP)
async def test_a_file_has_the_promised_picture_sound_and_length(media: Path, release: Release, clip: Clip) -> None:
    with av.open(str(media / location(release, clip))) as opened:
        video, audio = opened.streams.video[0], opened.streams.audio[0]
        found = (video.codec_context.name, video.height, audio.codec_context.name)
        seconds = (opened.duration or 0) / av.time_base

    assert found == ("h264", clip.height, "aac")
    assert seconds == pytest.approx(seconds_of(clip, Profile.TINY), abs=0.5)


@pytest.mark.parametrize(("release", "clip"), EVERY_CLIP)
async def test_the_index_of_an_mp4_lies_where_its_container_says(media: Path, release: Release, clip: Clip) -> None:
    content = (media / location(release, clip)).read_bytes()
    first = "mkv" if content[:4] == b"\x1a\x45\xdf\xa3" else "moov" if _moov_first(content) else "mdat"

    expected = {Container.MKV: "mkv", Container.MP4: "mdat", Container.MP4_FASTSTART: "moov"}[clip.container]

    assert first == expected


async def test_all_three_kinds_of_container_are_there() -> None:
    assert {clip.container for release in LIBRARY.releases for clip in release.clips} == set(Container)


async def test_a_second_making_makes_nothing(media: Path) -> None:
    made: list[Progress] = []
    again = await make_media(shared_folder(), profile=Profile.TINY, progress=made.append)

    assert (again, made) == (media, [])


async def test_a_file_that_is_missing_is_made_anew_with_the_same_bytes(media: Path, tmp_path: Path) -> None:
    victim = _links(media, tmp_path / media.name) / LIBRARY.releases[1].clips[0].path
    victim.unlink()
    leftover = victim.with_name(f".999999999.{victim.name}")
    leftover.write_bytes(b"of a process that was killed")
    await make_media(tmp_path, profile=Profile.TINY)

    assert victim.read_bytes() == (media / victim.name).read_bytes()
    assert not leftover.exists()


async def test_neither_order_nor_size_tells_the_episodes_of_the_pack(media: Path) -> None:
    numbers = [clip.episode for clip in SEASON_PACK.clips if clip.role is Role.MAIN]
    sizes = {clip.path: (media / location(SEASON_PACK, clip)).stat().st_size for clip in SEASON_PACK.clips}
    by_size = sorted((c for c in SEASON_PACK.clips if c.role is Role.MAIN), key=lambda c: sizes[c.path])

    assert numbers == [3, 1, 4, 2]
    assert [clip.episode for clip in by_size] not in ([1, 2, 3, 4], [4, 3, 2, 1], numbers)
    assert max(sizes, key=lambda path: sizes[path]).startswith("Extras/")
    assert sorted(clip.path for clip in SEASON_PACK.clips) != [clip.path for clip in SEASON_PACK.clips]


def _links(source: Path, target: Path) -> Path:
    target.mkdir()
    for path in source.iterdir():
        (target / path.name).symlink_to(path)
    return target


def _moov_first(content: bytes) -> bool:
    return content.index(b"moov") < content.index(b"mdat")
