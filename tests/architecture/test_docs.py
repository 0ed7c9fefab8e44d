"""The documentation holds together: links lead somewhere, every dependency has its reason, nothing private is named."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = [link for link in _LINK.findall(page.read_text("utf-8")) if "://" not in link]
    assert [link for link in targets if not (page.parent / link).exists()] == []


def _named_in_architecture() -> set[str]:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8").partition("## Dependencies")[2]
    return {name.lower() for name in re.findall(r"`([@\w./-]+)`", text)}


def test_every_direct_dependency_has_its_reason() -> None:
    direct = set()
    for file in ("requirements.txt", "requirements-dev.txt"):
        first = (ROOT / file).read_text("utf-8").partition("# What those need.")[0]
        direct |= {line.partition("==")[0].lower() for line in first.splitlines() if "==" in line}
    package = json.loads((ROOT / "package.json").read_text("utf-8"))
    direct |= {name.lower() for part in ("dependencies", "devDependencies") for name in package.get(part, {})}
    direct.discard("psycopg-binary")  # psycopg's own compiled half
    assert sorted(direct - _named_in_architecture()) == []


def test_the_changelog_speaks_of_this_version() -> None:
    from flowforge_ui import __version__

    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_lock_file_names_no_registry() -> None:
    assert "resolved" not in (ROOT / "package-lock.json").read_text("utf-8")


def _tracked(pattern: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", pattern], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split() if (ROOT / name).exists()]


@pytest.mark.parametrize(
    ("pattern", "most"), [("flowforge_ui/*.py", 400), ("static/js/*.ts", 350), ("static/js/*.tsx", 350)]
)
def test_files_stay_small(pattern: str, most: int) -> None:
    assert [path.name for path in _tracked(pattern) if len(path.read_text("utf-8").splitlines()) > most] == []
