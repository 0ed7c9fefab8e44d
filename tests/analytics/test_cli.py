"""`flowforge demo` and `flowforge analytics` as an operator runs them, while a server holds the store or none."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from flowforge_ui.analytics.demo import Month
from flowforge_ui.analytics.duckdb_store import DuckDBStore
from flowforge_ui.analytics.spool import held
from flowforge_ui.cli import demo as demo_module
from flowforge_ui.cli import main
from tests.analytics.events import ALICE, act

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVER = """
import sys
from pathlib import Path
from flowforge_ui.analytics.spool import Importer
from flowforge_ui.analytics.store import open_store
store = open_store(sys.argv[1])
importer = Importer(store, Path(sys.argv[2]), every_seconds=0.02)
if len(sys.argv) > 3:
    importer = None
else:
    importer.start()
print("ready", flush=True)
sys.stdin.read()
if importer:
    importer.stop()
store.close()
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation whose set-up is finished and whose local analytics are on; few people live in its demo."""
    for name in [name for name in os.environ if name.startswith("FLOWFORGE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLOWFORGE_HOME", str(tmp_path))
    monkeypatch.setattr("flowforge_ui.analytics.demo.Month", few)
    done = flowforge(
        "init", "--admin", "root", "--password-stdin", "--local-analytics", given="correct horse battery\n"
    )
    assert done.exit_code == 0, done.output
    return tmp_path


def few(**facts: Any) -> Month:
    return Month(**facts, teams=5, people=30, days=8)


def flowforge(*words: str, given: str = "") -> Result:
    return CliRunner().invoke(main, list(words), input=given)


def answer(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    facts: dict[str, Any] = json.loads(result.stdout)
    return facts


def url(home: Path) -> str:
    return f"duckdb:///{home}/analytics.duckdb"


@contextmanager
def store_of(home: Path) -> Iterator[DuckDBStore]:
    with closing(DuckDBStore.open(url(home))) as store:
        yield store


@contextmanager
def server(home: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the store, and takes in what comes through the spool unless told otherwise."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, url(home), str(home / "analytics-import"), *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    try:
        yield process
    finally:
        process.communicate()


def test_demo_fills_replaces_and_goes_without_a_trace(home: Path) -> None:
    added = answer(flowforge("demo", "--json"))["added"]
    assert added > 300
    with store_of(home) as store:
        assert held(store) == {"real": 0, "demo": added}
    again = answer(flowforge("demo", "--json"))
    assert again["replaced"] == added
    with store_of(home) as store:
        assert held(store) == {"real": 0, "demo": again["added"]}
        store.append([act("2026-03-02 10:00", ALICE, "logged in")])
    assert answer(flowforge("demo", "--remove", "--json")) == {"removed": again["added"]}
    with store_of(home) as store:
        assert held(store) == {"real": 1, "demo": 0}


def test_demo_while_the_server_runs(home: Path) -> None:
    with server(home):
        first = answer(flowforge("demo", "--json"))
        second = answer(flowforge("demo", "--json"))
        assert second["replaced"] == first["added"] > 300
    with store_of(home) as store:
        assert held(store) == {"real": 0, "demo": second["added"]}
    with server(home):
        assert answer(flowforge("demo", "--remove", "--json")) == {"removed": second["added"]}
    assert list((home / "analytics-import").iterdir()) == []
    with store_of(home) as store:
        assert held(store) == {"real": 0, "demo": 0}


def test_demo_refuses_to_stand_among_real_use_unless_told(home: Path) -> None:
    with store_of(home) as store:
        store.append([act(f"2026-03-02 10:{n // 60:02}:{n % 60:02}", ALICE, "logged in") for n in range(999)])
    assert answer(flowforge("demo", "--json"))["added"] > 300  # setting up and looking around is no use
    assert flowforge("demo", "--remove").exit_code == 0
    with store_of(home) as store:
        store.append([act("2026-03-02 11:00", ALICE, "logged in")])
    refused = flowforge("demo")
    assert refused.exit_code == 1
    assert "1000 real events are in the store" in refused.stderr
    with server(home):
        assert flowforge("demo").exit_code == 1
        assert flowforge("demo", "--yes").exit_code == 0
    with store_of(home) as store:
        assert held(store)["real"] == 1000
        assert held(store)["demo"] > 300


def test_demo_says_when_nobody_takes_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_module, "_PATIENCE", 0.3)
    (home / "analytics-import").mkdir()
    with server(home, "idle") as process:
        refused = flowforge("demo")
        assert refused.exit_code == 1
        assert "nobody has taken anything" in refused.stderr
        assert f"held by process {process.pid}" in refused.stderr
        (home / "analytics-import").rmdir()  # empty: what was not taken has been withdrawn
        refused = flowforge("demo")
        assert refused.exit_code == 1
        assert "no server takes events" in refused.stderr


def test_demo_needs_set_up_and_local_analytics(
    home: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWFORGE_TELEMETRY__FRONTEND__LOCAL__ENABLED", "false")
    refused = flowforge("demo")
    assert refused.exit_code == 1
    assert "local analytics are off" in refused.stderr
    assert "FLOWFORGE_TELEMETRY__FRONTEND__LOCAL__ENABLED" in refused.stderr
    monkeypatch.setenv("FLOWFORGE_HOME", str(tmp_path_factory.mktemp("empty")))
    refused = flowforge("demo")
    assert refused.exit_code == 1
    assert "finish the set-up first" in refused.stderr


def test_export(home: Path) -> None:
    added = answer(flowforge("demo", "--json"))["added"]
    done = answer(flowforge("analytics", "export", "all.csv", "--json"))
    assert (done["events"], done["format"]) == (added, "csv")
    with (home / "all.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == added
    assert (
        answer(flowforge("analytics", "export", "none", "--format", "parquet", "--to", "2026-01-01", "--json"))[
            "events"
        ]
        == 0
    )
    there = flowforge("analytics", "export", "all.csv")
    assert (there.exit_code, "is there already" in there.stderr) == (1, True)
    for wrong in (["all.txt"], ["x.csv", "--from", "2026-02-02", "--to", "2026-02-01"], ["x.csv", "--from", "May"]):
        assert flowforge("analytics", "export", *wrong).exit_code == 2


def test_prune(home: Path) -> None:
    with store_of(home) as store:
        store.append([act("2020-03-02 10:00", ALICE, "logged in")])
    answer(flowforge("demo", "--json"))
    assert answer(flowforge("analytics", "prune", "--json")) == {"forgotten": 1, "older_than_days": 395}
    assert answer(flowforge("analytics", "prune", "--json"))["forgotten"] == 0
    assert answer(flowforge("analytics", "prune", "--older-than", "2", "--json"))["forgotten"] > 100


def test_export_and_prune_say_that_the_server_holds_the_store(home: Path) -> None:
    with store_of(home):
        pass
    with server(home) as process:
        for words in (["export", "all.csv"], ["prune"]):
            refused = flowforge("analytics", *words)
            assert refused.exit_code == 1
            assert f"held by process {process.pid}" in refused.stderr
            assert "stop that process first" in refused.stderr
    assert not (home / "all.csv").exists()


def test_without_a_store_there_is_nothing_to_export(home: Path) -> None:
    refused = flowforge("analytics", "export", "all.csv")
    assert refused.exit_code == 1
    assert "no local analytics yet" in refused.stderr
    assert not (home / "analytics.duckdb").exists()
