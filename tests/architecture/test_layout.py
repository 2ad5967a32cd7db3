"""The house is tidy: the same names everywhere, small files, a small kernel without domain words."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

LINES_PER_FILE = 400
LINES_OF_LIBS = 2_000
DOMAIN_WORDS = re.compile(r"\b(episode|torrent|magnet|series|subtitle|movie|film|swarm)s?\b", re.IGNORECASE)
FORBIDDEN_NAMES = {"utils.py", "common.py", "helpers.py", "misc.py"}
CODE = ("*.py", "*.proto", "*.sql", "*.toml", "Makefile", "*.sh")


def tracked(root: Path, *patterns: str) -> list[Path]:
    """Return the files that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=root, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [path for line in listed.stdout.splitlines() if (path := root / line).is_file()]


def calls(path: Path) -> Iterator[str]:
    """Return the dotted names of all that a module calls."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def is_test(path: Path) -> bool:
    return path.name.startswith("test_") or path.name == "conftest.py"


def test_no_file_is_too_long_to_read(root: Path) -> None:
    too_long = {
        str(path.relative_to(root)): lines
        for path in tracked(root, *CODE, "*.md")
        if (lines := len(path.read_text().splitlines())) > LINES_PER_FILE
    }

    assert too_long == {}


def test_no_module_is_a_drawer_for_anything(root: Path) -> None:
    assert [path for path in tracked(root, "*.py") if path.name in FORBIDDEN_NAMES] == []


def test_the_kernel_is_small_and_knows_nothing_of_the_domain(root: Path) -> None:
    files = tracked(root, "libs/*/vod_*/*.py")
    lines = sum(len(path.read_text().splitlines()) for path in files if "testing" not in path.parts)
    words = {
        f"{path.name}: {word.group()}"
        for path in files
        # Which subjects a stream keeps is the one thing there that names events.
        if path.name != "streams.py"
        for word in DOMAIN_WORDS.finditer(path.read_text())
        # Redaction has to know what a secret looks like.
        if path.name != "logging.py"
    }

    assert set() == words
    assert lines <= LINES_OF_LIBS


def test_the_kernel_imports_no_service_and_no_contract(root: Path) -> None:
    pattern = re.compile(
        r"^\s*(?:from|import) (vod\.\w+\.v1|vod_(?!runtime|rpc|events|storage|testing|web|local)\w+)", re.MULTILINE
    )
    found = {
        str(path.relative_to(root)): pattern.findall(path.read_text())
        for path in tracked(root, "libs/*/vod_*/*.py")
        if pattern.search(path.read_text())
    }

    assert found == {}


def test_tests_never_sleep(root: Path) -> None:
    sleeping = [
        str(path.relative_to(root))
        for path in tracked(root, "*.py")
        if is_test(path) and {"asyncio.sleep", "time.sleep", "sleep"} & set(calls(path))
    ]

    assert sleeping == []


def test_tests_do_not_mock_our_own_code(root: Path) -> None:
    pattern = re.compile(r"unittest\.mock|mocker\b|patch\(\s*[\"']vod_|monkeypatch\.setattr\(\s*(?:vod_|[\"']vod_)")
    mocking = [
        str(path.relative_to(root))
        for path in tracked(root, "*.py")
        if is_test(path) and pattern.search(path.read_text())
    ]

    assert [name for name in mocking if not name.endswith("test_layout.py")] == []


def test_every_service_says_what_it_is_and_lists_what_it_needs(root: Path) -> None:
    missing = [
        f"{folder.name}/{name}"
        for folder in (root / "services").iterdir()
        if (folder / "pyproject.toml").exists()
        for name in ("README.md", f"vod_{folder.name.replace('-', '_')}/service.py", "tests")
        if not (folder / name).exists()
    ]

    assert missing == []


@pytest.mark.parametrize(
    ("dependency", "only_in"),
    [("libtorrent", {"services/stream-node"}), ("fastapi", {"services/gateway"}), ("nats", {"libs/events"})],
)
def test_heavy_dependencies_stay_where_they_belong(root: Path, dependency: str, only_in: set[str]) -> None:
    pattern = re.compile(rf"^\s*(?:from|import) {dependency}\b", re.MULTILINE)
    users = {
        "/".join(path.relative_to(root).parts[:2])
        for path in tracked(root, "services/*/vod_*/*.py", "libs/*/vod_*/*.py")
        if pattern.search(path.read_text()) and "testing" not in path.parts
    }

    assert only_in == users


def test_a_service_names_no_schema_but_its_own(root: Path) -> None:
    schemas = {folder.name.replace("-", "_") for folder in (root / "services").iterdir()}
    wrong = [
        f"{path.relative_to(root)}: {other}."
        for path in tracked(root, "services/*/migrations/*.sql", "services/*/vod_*/store.py")
        for other in schemas - {path.relative_to(root).parts[1].replace("-", "_")}
        if re.search(rf"\b(?:FROM|JOIN|INTO|UPDATE|TABLE|REFERENCES)\s+{other}\.", path.read_text(), re.IGNORECASE)
    ]

    assert wrong == []


def test_what_is_committed_names_no_package_registry(root: Path) -> None:
    pattern = re.compile(r"https?://|\bfile:|--index-url|--extra-index-url|--find-links")
    locks = tracked(root, "deploy/requirements/*.txt", "*.lock", "*package-lock.json")

    assert [str(path.relative_to(root)) for path in locks if pattern.search(path.read_text())] == []


def test_catalog_and_search_ship_the_same_list_of_open_films(root: Path) -> None:
    files = tracked(root, "services/*/vod_*/data/open-films.txt")
    lists = {tuple(line for line in path.read_text().splitlines() if line[:1] not in ("#", "")) for path in files}

    assert (len(files), len(lists)) == (2, 1)
