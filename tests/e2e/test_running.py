"""Running it: start, stop, kill, restart, a second one, and the `vod` command."""

import pytest
from allinone import HARBOR, System, beat, start, system, vod_command

from vod_fakes.world import World
from vod_testing import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_second_one_on_the_same_data_says_so(vod: System) -> None:
    second = await vod_command(vod, "up", "--no-demo")

    assert second.returncode == 3
    assert vod.base in second.stdout + second.stderr


async def test_status_shows_services_sessions_and_pins(vod: System) -> None:
    async with vod.client() as viewer:
        await start(viewer, HARBOR, 1, 1)

    shown: list[str] = []

    async def why_not_well() -> str | None:
        """A service whose database stands still for two seconds is not ready, but soon is again."""
        done = await vod_command(vod, "status")
        shown.append(done.stdout)
        return None if done.returncode == 0 else done.stdout + done.stderr

    await eventually(why_not_well, within=60)
    for expected in ("gateway", "stream-node", "ready", HARBOR):
        assert expected in shown[-1]


async def test_play_finds_the_title_and_prints_the_address(vod: System) -> None:
    shown = await vod_command(vod, "play", "Harbor Lights", "S1E2", "--no-player")

    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "/stream/" in shown.stdout


async def test_play_says_when_there_is_no_such_title(vod: System) -> None:
    shown = await vod_command(vod, "play", "No Such Thing At All", "--no-player")

    assert shown.returncode == 7
    assert "No Such Thing At All" in shown.stdout + shown.stderr


async def test_after_everything_was_killed_it_resumes_exactly_from_what_is_on_disk(outside: World) -> None:
    async with system(outside) as vod:
        async with vod.client() as viewer:
            first = await start(viewer, HARBOR, 1, 1)
            whole = (await viewer.get(first["streamUrl"])).content
            await beat(viewer, first["sessionId"], 7)

            await vod.kill_everything()
            await vod.up()
            resumed = (await viewer.get("/v1/resume")).json()
            await outside.seeder.stop()
            try:
                again = await start(viewer, resumed["seriesId"], resumed["season"], resumed["episode"])
                content = (await viewer.get(again["streamUrl"])).content
            finally:
                await outside.seeder.start()

        assert (
            resumed["seriesId"],
            resumed["season"],
            resumed["episode"],
            int(resumed["position_s"]),
        ) == (HARBOR, 1, 1, 7)
        sources = [(pick["infohash"], pick["fileIndex"]) for pick in (first["pick"], resumed["pick"], again["pick"])]
        assert len(set(sources)) == 1
        assert whole == content
        assert await vod.down() == 0
