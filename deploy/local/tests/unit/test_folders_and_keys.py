import stat
from pathlib import Path

import pytest

from vod_local.errors import DataInUse, DataUnusable
from vod_local.folders import LOG_LIMIT_BYTES, data_folder, make_data_folder, make_run_folder, open_log, run_folder
from vod_local.keys import installation_keys, secrets_file
from vod_local.lock import is_locked, locked
from vod_local.record import ProcessRecord, RunRecord, read_record, remove_record, write_record

RECORD = RunRecord(
    pid=7,
    address="http://127.0.0.1:8080",
    stream_address="http://127.0.0.1:8081",
    demo=True,
    processes={"app": ProcessRecord(["gateway"], "unix:/run/app.sock")},
    servers={"postgres": "embedded"},
)


def test_the_command_line_beats_the_environment_and_that_beats_the_platform(tmp_path: Path) -> None:
    environ = {"VOD_DATA_DIR": str(tmp_path / "b")}

    assert data_folder(tmp_path / "a", environ) == tmp_path / "a"
    assert data_folder(None, environ) == tmp_path / "b"
    assert data_folder(None, {"VOD_DATA_DIR": ""}).name == "novastream"


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(DataUnusable, match="VOD_DATA_DIR or --data"):
        make_data_folder(tmp_path / "file" / "data")


def test_the_runtime_folder_is_private_short_and_emptied(tmp_path: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)}
    folder = make_run_folder(tmp_path / "data", environ)
    (folder / "old.sock").touch()
    again = make_run_folder(tmp_path / "data", environ)

    assert again == folder
    assert list(again.iterdir()) == []
    assert stat.S_IMODE(again.stat().st_mode) & 0o066 == 0
    assert len(folder.name) <= 40


def test_the_runtime_folder_is_gone_when_the_run_ends(tmp_path: Path) -> None:
    with run_folder(tmp_path / "data", {"XDG_RUNTIME_DIR": str(tmp_path)}) as folder:
        (folder / "pg").mkdir()
        (folder / "nats.conf").touch()
        during = list(tmp_path.iterdir())

    assert during == [folder]
    assert list(tmp_path.iterdir()) == []


def test_nobody_else_may_enter_what_is_in_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "stream").mkdir(mode=0o755)  # of an earlier version
    make_data_folder(tmp_path)
    modes = {folder.name: stat.S_IMODE(folder.stat().st_mode) for folder in tmp_path.iterdir()}

    assert modes == {"stream": 0o700, "demo": 0o700, "logs": 0o700}


def test_two_data_folders_have_two_runtime_folders(tmp_path: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)}

    assert make_run_folder(tmp_path / "a", environ) != make_run_folder(tmp_path / "b", environ)


def test_a_link_in_the_place_of_the_runtime_folder_is_refused(tmp_path: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)}
    folder = make_run_folder(tmp_path / "data", environ)
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(DataUnusable, match="belongs to somebody else"):
        make_run_folder(tmp_path / "data", environ)


def test_a_big_log_is_put_aside_and_a_small_one_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    for content in ("1", "2", "3", "4", "5"):
        log.write_text(content)
        with log.open("r+") as file:
            file.truncate(LOG_LIMIT_BYTES + 1)
        open_log(tmp_path, "app")
    log.write_text("small")
    open_log(tmp_path, "app")
    kept = {path.name: path.read_bytes()[:1] for path in tmp_path.iterdir()}

    assert kept == {"app.log": b"s", "app.log.1": b"5", "app.log.2": b"4", "app.log.3": b"3"}


def test_keys_are_made_once_and_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    first = installation_keys(tmp_path, {})
    second = installation_keys(tmp_path, {})

    assert first == second
    assert set(first) == {"VOD_SECRET_KEY", "VOD_ADMIN_KEY"}
    assert first["VOD_SECRET_KEY"] != first["VOD_ADMIN_KEY"]
    assert stat.S_IMODE(secrets_file(tmp_path).stat().st_mode) == 0o600


def test_keys_of_the_environment_are_used_but_not_stored(tmp_path: Path) -> None:
    keys = installation_keys(tmp_path, {"VOD_ADMIN_KEY": "from-the-environment"})

    assert keys["VOD_ADMIN_KEY"] == "from-the-environment"
    assert "from-the-environment" not in secrets_file(tmp_path).read_text()


def test_the_second_holder_of_a_data_folder_is_told_process_and_address(tmp_path: Path) -> None:
    with locked(tmp_path):
        write_record(tmp_path, RECORD)
        with pytest.raises(DataInUse, match=r"process \d+ at http://127\.0\.0\.1:8080") as caught, locked(tmp_path):
            pytest.fail("two hold it")
        held = is_locked(tmp_path)

    assert caught.value.exit_code == 3
    assert held
    assert not is_locked(tmp_path)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_record(tmp_path, RECORD)
    read = read_record(tmp_path)
    mode = stat.S_IMODE((tmp_path / "run.json").stat().st_mode)
    remove_record(tmp_path)

    assert read == RECORD
    assert mode == 0o600
    assert read_record(tmp_path) is None


def test_a_record_of_another_version_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"processes": {}, "wheels": 4}')

    assert read_record(tmp_path) is None
