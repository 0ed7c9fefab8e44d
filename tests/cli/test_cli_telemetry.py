"""`flowforge telemetry`: what the core ping is allowed, would send and has sent, at the terminal."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from flowforge_ui.cli import main
from flowforge_ui.collector.service import Service
from tests.support.collector import Knock, Times, parts
from tests.support.hostile import Hostile, answer, hostile
from tests.support.ports import free_port

RECEIPT = "0123456789abcdef" * 2
PASSWORD = "correct horse battery"

Flowforge = Callable[..., Result]


@pytest.fixture
def collector() -> Iterator[Hostile]:
    """Takes every ping."""
    with hostile(answer("202 Accepted", json.dumps({"receipt": RECEIPT}).encode())) as server:
        yield server


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Flowforge]:
    """An installation, set up, its ping going to ``url``; runs commands in it."""
    for name in ("DO_NOT_TRACK", "FLOWFORGE_TELEMETRY_DISABLED"):
        monkeypatch.delenv(name, raising=False)

    def make(url: str, *init: str, **telemetry: object) -> Flowforge:
        settings = {"home": str(tmp_path / "var"), "telemetry": {"url": url, **telemetry}}
        (tmp_path / "flowforge.yml").write_text(yaml.safe_dump(settings), "utf-8")
        monkeypatch.chdir(tmp_path)

        def run(*command: str, text: str | None = None) -> Result:
            return CliRunner().invoke(main, [*command], input=text)

        done = run("init", "--admin", "root", "--password-stdin", *init, text=PASSWORD)
        assert done.exit_code == 0, done.output
        return run

    return make


def rows(run: Flowforge) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("telemetry", "history", "--json").stdout)
    return found


def nobody() -> str:
    return f"http://127.0.0.1:{free_port()}/ping"


def test_the_preview_is_what_is_sent_and_sends_nothing(at: Callable[..., Flowforge], collector: Hostile) -> None:
    run = at(collector.url)
    preview = json.loads(run("telemetry", "preview", "--json").stdout)
    assert collector.requests == []
    sent = run("telemetry", "send")
    assert (sent.exit_code, sent.stdout.split(".")[0]) == (0, "Sent, as number 1")
    body = json.loads(collector.requests[0].partition(b"\r\n\r\n")[2])
    for each in (preview, body):
        each["envelope"].pop("period")
    assert preview == body
    assert body["platform"] == {"counts": {"users": 1, "teams": 0, "projects": 0}, "config": {"driver": "localfs"}}


def test_history_has_the_exact_bytes_and_the_receipt(at: Callable[..., Flowforge], collector: Hostile) -> None:
    run = at(collector.url)
    assert run("telemetry", "history").stdout == "No ping has been made yet.\n"
    run("telemetry", "send")
    travelled = collector.requests[0].partition(b"\r\n\r\n")[2]
    assert run("telemetry", "history", "--bytes", "1").stdout_bytes == travelled
    (row,) = rows(run)
    assert (row["seq"], row["outcome"], row["receipt"]) == (1, "sent", RECEIPT)
    assert row["sha256"] == hashlib.sha256(travelled).hexdigest()
    unknown = run("telemetry", "history", "--bytes", "9")
    assert (unknown.exit_code, "no ping has the number 9" in unknown.output) == (1, True)


def test_what_a_person_reads(at: Callable[..., Flowforge], collector: Hostile) -> None:
    """The same facts as `--json`, in lines: channels, the ping indented, its history, the proof."""
    run = at(collector.url)
    status = run("telemetry", "status").stdout.splitlines()
    assert [line.split()[:2] for line in status] == [
        ["ping", "on"],
        ["posthog", "off"],
        ["local", "off"],
        ["plausible", "off"],
    ]
    preview = run("telemetry", "preview")
    compact = run("telemetry", "preview", "--json").stdout.strip()
    shown, sent = json.loads(preview.stdout), json.loads(compact)
    for each in (shown, sent):
        each["envelope"].pop("period")
    assert shown == sent
    assert preview.stderr == f"\n{len(compact)} bytes to {collector.url}. The ping is on.\n"
    run("telemetry", "send")
    (line,) = run("telemetry", "history").stdout.splitlines()
    assert line.split()[0] == "1"
    assert line.split()[2:] == [str(len(collector.requests[0].partition(b"\r\n\r\n")[2])), "bytes", "sent", RECEIPT]
    proof = run("telemetry", "selftest").stdout.splitlines()
    assert (proof[0], proof[-1]) == ("Switched off: 0 attempts to reach the network.", "Off is off.")


@pytest.mark.parametrize(
    ("init", "telemetry", "environ", "layer"),
    [
        ((), {"enabled": False}, {}, "file"),
        ((), {}, {"DO_NOT_TRACK": "1"}, "environment"),
        ((), {}, {"FLOWFORGE_TELEMETRY_DISABLED": "true"}, "environment"),
        (("--no-telemetry",), {}, {}, "admin"),
    ],
)
def test_off_is_off_and_says_which_layer_decided(
    at: Callable[..., Flowforge],
    collector: Hostile,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    *,
    init: tuple[str, ...],
    telemetry: dict[str, object],
    environ: dict[str, str],
    layer: str,
) -> None:
    run = at(collector.url, *init, **telemetry)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    status = json.loads(run("telemetry", "status", "--json").stdout)["ping"]
    assert (status["allowed"], status["decided_by"]) == (False, layer)
    assert [each["layer"] for each in status["layers"] if each["decides"]] == [layer]
    sent = run("telemetry", "send")
    assert (sent.exit_code, "nothing was sent: the ping is off" in sent.output) == (1, True)
    carried = run("telemetry", "bundle", str(tmp_path / "pings"))
    assert (carried.exit_code, (tmp_path / "pings").exists()) == (1, False)
    assert (collector.requests, rows(run)) == ([], [])


def test_what_could_not_be_delivered_is_carried(at: Callable[..., Flowforge], tmp_path: Path) -> None:
    run = at(nobody())
    assert run("telemetry", "bundle", str(tmp_path / "none")).exit_code == 1
    for _ in range(3):
        failed = run("telemetry", "send")
        assert (failed.exit_code, "could not be delivered: unreachable" in failed.output) == (1, True)
    done = run("telemetry", "bundle", str(tmp_path / "pings"))
    assert (done.exit_code, done.stdout.startswith("3 pings")) == (0, True)

    carried = (tmp_path / "pings").read_bytes()
    assert [json.loads(line)["envelope"]["seq"] for line in carried.splitlines()] == [1, 2, 3]
    assert [row["body"] for row in reversed(rows(run))] == carried.decode().splitlines()
    home = tmp_path / "collector"
    home.mkdir()
    service = Service(parts(home, Times(), Knock()))
    service.start()
    try:
        client = service.application.test_client()
        for status in (202, 200):  # carried twice, counted once
            answers = client.post("/bundle", data=carried).get_json()["pings"]
            assert [each["status"] for each in answers] == [status] * 3
    finally:
        service.stop()


def test_a_file_that_is_there_is_not_overwritten(at: Callable[..., Flowforge], tmp_path: Path) -> None:
    run = at(nobody())
    run("telemetry", "send")
    for path in (tmp_path / "new", tmp_path / "there"):
        if path.name == "there":
            path.write_text("mine")
        done = run("telemetry", "bundle", str(path))
    assert (done.exit_code, (tmp_path / "there").read_text(), "exists already" in done.output) == (1, "mine", True)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600
    done = run("telemetry", "bundle", str(tmp_path / "nowhere" / "pings"))
    assert (done.exit_code, "cannot be written: No such file or directory" in done.output) == (1, True)


def test_a_collector_that_asks_for_patience_holds_nobody_up(
    at: Callable[..., Flowforge], monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep(_: float) -> bool:
        raise AssertionError("somebody sits before the terminal")

    monkeypatch.setattr("flowforge_ui.factory.ping._sleep", sleep)
    with hostile(answer("429 Too Many Requests", b"{}", "Retry-After: 200")) as busy:
        done = at(busy.url)("telemetry", "send")
    assert (done.exit_code, "could not be delivered: answered 429" in done.output) == (1, True)
    assert len(busy.requests) == 1


def test_a_ping_that_was_taken_is_not_carried(at: Callable[..., Flowforge], collector: Hostile, tmp_path: Path) -> None:
    run = at(collector.url)
    run("telemetry", "send")
    done = run("telemetry", "bundle", str(tmp_path / "pings"))
    assert (done.exit_code, "there is nothing to carry" in done.output) == (1, True)


def test_selftest_proves_that_off_is_off_and_sends_nothing(at: Callable[..., Flowforge], collector: Hostile) -> None:
    run = at(collector.url)
    proof = run("telemetry", "selftest", "--json")
    assert proof.exit_code == 0
    found = json.loads(proof.stdout)
    assert (found["holds"], found["off"]) == (True, [])
    assert found["on"]
    assert (collector.requests, rows(run)) == ([], [])
