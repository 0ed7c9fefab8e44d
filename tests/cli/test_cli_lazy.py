"""A command loads what it needs and no more; every command of the table is there and helps."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from flowforge_ui.cli import COMMANDS, main

HEAVY = ("flask", "sqlalchemy", "duckdb", "posthog", "granian", "alembic", "pydantic", "requests", "clickhouse_connect")


@pytest.mark.parametrize("arguments", [["config", "check"], ["config", "show", "--json"], ["--help"], ["--version"]])
def test_a_small_command_loads_nothing_heavy(tmp_path: Path, arguments: list[str]) -> None:
    program = f"""
import sys
sys.argv = ["flowforge", *{arguments!r}]
from flowforge_ui.cli import main
try:
    main()
finally:
    print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)
"""
    environ = {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert (result.returncode, result.stderr) == (0, "[]\n")
    assert result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_helps(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert isinstance(command, click.Command)
    assert command.name == name
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: main {name} ")


def test_help_lists_every_command() -> None:
    listed = CliRunner().invoke(main, ["--help"]).output.split("Commands:\n")[1]
    assert [line.split()[0] for line in listed.splitlines()] == list(COMMANDS)


def test_an_unknown_command_is_a_usage_error() -> None:
    result = CliRunner().invoke(main, ["confg"])
    assert (result.exit_code, "No such command" in result.output) == (2, True)
