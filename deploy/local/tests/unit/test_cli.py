from pathlib import Path

import pytest

from vod_local import cli
from vod_local.api_client import Title
from vod_local.demo import Choice, is_wanted, latest_progress, replaced
from vod_local.errors import BadConfiguration
from vod_local.ops import explain
from vod_local.play import TitleNotFound, best_title, parse_episode
from vod_local.status import running_record

HARBOR_LIGHTS = Title("tmdb:tv:9001", "Harbor Lights", 2024, "series")
HARBOR_LIGHT = Title("tmdb:tv:9002", "Harbor Light", 2019, "series")
ORCHARD = Title("tmdb:movie:9101", "The Glass Orchard", 2023, "movie")


def test_help_names_commands_variables_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--help"])
    text = capsys.readouterr().out

    assert caught.value.code == 0
    for word in ("up", "play", "status", "VOD_DATA_DIR", "PROWLARR_URL", "exit codes"):
        assert word in text


@pytest.mark.parametrize("port", ["0", "65535", "http", "-1"])
def test_an_impossible_port_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["up", f"--port={port}"])

    assert caught.value.code == 2
    assert "is not a port" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["status"], ["play", "Harbor Lights", "S1E2", "--no-player"]])
def test_without_a_running_novastream_the_commands_say_how_to_start_it(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main([*command, "--data", str(tmp_path)])

    assert code == 5
    assert f"does not run on {tmp_path}. Start it with `vod up`" in capsys.readouterr().err


def test_looking_for_a_running_novastream_makes_no_folder(tmp_path: Path) -> None:
    assert cli.main(["status", "--data", str(tmp_path / "none")]) == 5
    assert not (tmp_path / "none").exists()


def test_episodes_are_written_like_s1e2() -> None:
    assert parse_episode("S1E2") == (1, 2)
    assert parse_episode("s01e012") == (1, 12)


@pytest.mark.parametrize("text", ["1x2", "S1", "E2", "S1E", "S1E2 "])
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(BadConfiguration, match="write it like S1E2"):
        parse_episode(text)


def test_the_exact_name_wins_over_a_similar_one() -> None:
    assert best_title("harbor light", [HARBOR_LIGHTS, HARBOR_LIGHT]) == HARBOR_LIGHT


def test_the_only_title_found_is_taken() -> None:
    assert best_title("orchard", [ORCHARD]) == ORCHARD


def test_an_ambiguous_name_shows_the_choice() -> None:
    with pytest.raises(TitleNotFound, match=r"Harbor Lights \(2024, series\)"):
        best_title("harbor", [HARBOR_LIGHTS, HARBOR_LIGHT])


def test_an_unknown_name_is_said() -> None:
    with pytest.raises(TitleNotFound, match="No title is called 'zzz'"):
        best_title("zzz", [])


@pytest.mark.parametrize(
    ("choice", "environ", "wanted"),
    [
        (Choice.AUTOMATIC, {}, True),
        (Choice.AUTOMATIC, {"TMDB_KEY": ""}, True),
        (Choice.AUTOMATIC, {"TMDB_KEY": "k"}, False),
        (Choice.AUTOMATIC, {"PROWLARR_URL": "http://p"}, False),
        (Choice.AUTOMATIC, {"VOD_TORZNAB_URLS": "http://t"}, False),
        (Choice.AUTOMATIC, {"VOD_STREMIO_ADDONS": "http://s/manifest.json"}, False),
        (Choice.DEMO, {"TMDB_KEY": "k"}, True),
        (Choice.REAL, {}, False),
    ],
)
def test_the_demo_runs_when_no_upstream_is_configured(choice: Choice, environ: dict[str, str], wanted: bool) -> None:
    assert is_wanted(choice, environ) is wanted


def test_the_users_variables_that_the_demo_replaces_are_known() -> None:
    told = {"OS_KEY": "demo", "PROWLARR_KEY": "demo", "VOD_ALLOW_PRIVATE_PEERS": "1"}

    assert replaced({"OS_KEY": "mine", "PROWLARR_KEY": "", "VOD_ALLOW_PRIVATE_PEERS": "1"}, told) == ["OS_KEY"]


def test_a_player_that_is_not_there_is_refused_before_anything_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(["play", "--data", str(tmp_path), "--player", "nope", "Harbor Lights"])

    assert code == 2
    assert "There is no player 'nope'" in capsys.readouterr().err


def test_the_latest_progress_of_the_library_is_shown() -> None:
    log = (
        '{"progress": {"done": 1, "total": 9, "name": "a.mkv"}}\n{"progress": {"done": 2, "total": 9, "name": "b.mkv"}}'
    )

    assert latest_progress(log) == "making the library: 2/9 b.mkv"
    assert latest_progress("Traceback\n7\n") is None


def test_a_failing_service_is_explained_by_its_resources() -> None:
    state = {"state": "failing", "address": "unix:/x", "postgres": "ConnectionRefusedError", "nats": "ok"}

    assert explain("picks", state) == "picks failing (postgres: ConnectionRefusedError)"


def test_a_locked_folder_without_record_is_still_starting(tmp_path: Path) -> None:
    from vod_local.errors import NotRunning
    from vod_local.lock import locked

    with locked(tmp_path), pytest.raises(NotRunning, match="still starting"):
        running_record(tmp_path)
