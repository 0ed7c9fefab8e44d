"""The rooms of docs/architecture.md: who may import whom, and what an import costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "flowforge_ui"


def imported(path: Path) -> set[str]:
    """Every module a file imports, wherever in it, as absolute dotted names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def who_imports(module: str) -> list[str]:
    return sorted(
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if any(name == module or name.startswith(module + ".") for name in imported(path))
    )


def test_imports_run_downwards() -> None:
    """The layers are in pyproject.toml."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "files"),
    [
        ("posthog", ["telemetry/posthog.py"]),
        ("duckdb", ["analytics/duckdb_store.py", "analytics/parquet_store.py"]),
        ("clickhouse_connect", ["analytics/clickhouse_store.py"]),
    ],
)
def test_one_file_knows_it(module: str, files: list[str]) -> None:
    assert who_imports(module) == files


def test_telemetry_knows_nothing_of_this_product() -> None:
    for path in (PACKAGE / "telemetry").glob("*.py"):
        assert [name for name in imported(path) if name.startswith("flowforge_ui")] == [], path.name
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            assert not (isinstance(node, ast.ImportFrom) and node.level > 1), path.name


def loaded_by(module: str) -> set[str]:
    program = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_telemetry_costs_nothing() -> None:
    loaded = loaded_by("flowforge_ui.telemetry")
    assert "flowforge_ui.telemetry" in loaded
    assert loaded & {"flask", "posthog", "duckdb", "clickhouse_connect", "requests", "sqlalchemy.engine"} == set()


@pytest.mark.parametrize("name", ["capture", "delivery", "recorder", "outbox", "intake", "boot", "decision", "plan"])
def test_receiving_and_recording_need_no_sdk(name: str) -> None:
    assert loaded_by(f"flowforge_ui.telemetry.{name}") & {"flask", "posthog", "duckdb", "requests"} == set()


@pytest.mark.parametrize("name", ["boot", "decision", "identity", "plan", "plausible", "redact", "routes", "values"])
def test_what_is_pure_needs_no_database(name: str) -> None:
    assert loaded_by(f"flowforge_ui.telemetry.{name}") & {"sqlalchemy", "requests", "flask"} == set()
