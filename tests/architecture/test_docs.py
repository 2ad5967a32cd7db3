"""What the documents say is what the code does."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def generate(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", root / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["configuration", "errors"])
def test_generated_pages_are_up_to_date(root: Path, generate: ModuleType, name: str) -> None:
    assert getattr(generate, name)() == (root / "docs" / f"{name}.md").read_text(), "run `make docs`"


def test_every_setting_is_explained(generate: ModuleType) -> None:
    unexplained = [line for line in generate.configuration().splitlines() if line.endswith("|  |")]

    assert unexplained == []


def test_every_reason_is_explained_and_unique_in_its_service(generate: ModuleType) -> None:
    section, seen, wrong = "", set(), []
    for line in generate.errors().splitlines():
        section = line if line.startswith("## ") else section
        row = re.match(r"\| `([A-Z_]+)` \| \d+ \| (.*) \|$", line)
        if row and section:
            if not row[2] or (section, row[1]) in seen:
                wrong.append(line)
            seen.add((section, row[1]))

    assert wrong == []


def test_links_between_documents_lead_somewhere(root: Path) -> None:
    pages = [root / "README.md", *(root / "docs").rglob("*.md"), *(root / "services").glob("*/README.md")]
    broken = [
        f"{page.relative_to(root)}: {link}"
        for page in pages
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", page.read_text())
        if not (page.parent / link).exists()
    ]

    assert broken == []
