"""The sender token: one for a sender, none for nobody, never to be turned back, not for longer than a week."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from flowforge_ui.collector.keyring import Keyring, Token, canonical
from tests.collector.test_spool import wait_for
from tests.support.collector import House, Times


@pytest.mark.parametrize(
    ("address", "packed"),
    [
        ("203.0.113.7", b"\x04\xcb\x00\x71\x07"),
        ("::ffff:203.0.113.7", b"\x04\xcb\x00\x71\x07"),
        (" 203.0.113.7 ", b"\x04\xcb\x00\x71\x07"),
        ("2001:db8:1:2:3:4:5:6", b"\x06\x20\x01\x0d\xb8\x00\x01\x00\x02"),
        ("2001:db8:1:2:ffff::1", b"\x06\x20\x01\x0d\xb8\x00\x01\x00\x02"),
        ("10.1.2.3", b"\x04\x0a\x01\x02\x03"),
        ("127.0.0.1", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("169.254.3.4", None),
        ("fe80::1%eth0", None),
        ("0.0.0.0", None),
        ("::", None),
        ("224.0.0.1", None),
        ("", None),
        (None, None),
        ("203.0.113.7, 10.0.0.1", None),
        ("example.org", None),
        ("203.0.113.256", None),
    ],
)
def test_one_spelling_for_one_sender(address: str | None, packed: bytes | None) -> None:
    assert canonical(address) == packed


def ring(path: Path, clock: Times) -> Keyring:
    return Keyring(path / "collector.key", clock)


def test_the_same_sender_has_the_same_token_within_a_week_and_another_after(tmp_path: Path) -> None:
    clock = Times()
    keys = ring(tmp_path, clock)
    first = keys.token("203.0.113.7")
    assert first is not None
    assert first == ring(tmp_path, clock).token("::ffff:203.0.113.7")
    assert first != keys.token("203.0.113.8")

    clock.forward(days=7)
    later = keys.token("203.0.113.7")
    assert later is not None
    assert (later.epoch, later.value == first.value) == (first.epoch + 1, False)


def test_the_old_key_is_gone_after_a_week(tmp_path: Path) -> None:
    clock = Times()
    ring(tmp_path, clock).token("203.0.113.7")
    before = json.loads((tmp_path / "collector.key").read_text())
    clock.forward(days=7)
    ring(tmp_path, clock).token("203.0.113.7")

    assert before["key"] not in b"".join(path.read_bytes() for path in tmp_path.iterdir()).decode()
    clock.forward(days=-7)  # a clock set back does not bring it back
    assert ring(tmp_path, clock).token("203.0.113.7") is not None
    assert json.loads((tmp_path / "collector.key").read_text())["epoch"] == before["epoch"] + 1


def test_the_ratchet_catches_up_the_weeks_it_slept(tmp_path: Path) -> None:
    clock = Times()
    walked, slept = tmp_path / "walked", tmp_path / "slept"
    ring(walked, clock).token("203.0.113.7")
    slept.mkdir()
    (slept / "collector.key").write_bytes((walked / "collector.key").read_bytes())
    (slept / "collector.key").chmod(0o600)
    for _ in range(3):
        clock.forward(days=7)
        ring(walked, clock).token("203.0.113.7")

    assert ring(slept, clock).token("203.0.113.7") == ring(walked, clock).token("203.0.113.7")


def test_the_token_is_the_first_128_bits_of_a_keyed_hash(tmp_path: Path) -> None:
    key, epoch = bytes(range(32)), int(Times()().timestamp()) // (7 * 24 * 3600)
    path = tmp_path / "collector.key"
    path.write_text(json.dumps({"epoch": epoch, "key": key.hex()}))
    path.chmod(0o600)

    # printf '\x04\xcb\x00\x71\x07' | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102..1f | cut -c1-32
    assert ring(tmp_path, Times()).token("203.0.113.7") == Token(_openssl(key, b"\x04\xcb\x00\x71\x07"), epoch)


def _openssl(key: bytes, message: bytes) -> str:
    import subprocess

    command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key.hex()}"]
    said = subprocess.run(command, input=message, capture_output=True, check=True).stdout.decode()
    return said.strip().rpartition(" ")[2][:32]


def test_only_its_owner_may_read_the_key(tmp_path: Path) -> None:
    ring(tmp_path, Times()).token("203.0.113.7")
    assert stat.S_IMODE((tmp_path / "collector.key").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"key":"zz","epoch":1}', '{"key":"00","epoch":1}', '{"key":5,"epoch":1}']
)
def test_a_key_that_is_none_means_no_token(tmp_path: Path, content: str) -> None:
    path = tmp_path / "collector.key"
    path.write_text(content)
    path.chmod(0o600)
    assert ring(tmp_path, Times()).token("203.0.113.7") is None
    assert path.read_text() == content


def test_a_key_that_others_may_read_means_no_token(tmp_path: Path) -> None:
    ring(tmp_path, Times()).token("203.0.113.7")
    (tmp_path / "collector.key").chmod(0o644)
    assert ring(tmp_path, Times()).token("203.0.113.7") is None


def test_a_key_that_others_may_read_later_means_no_token_from_then_on(tmp_path: Path) -> None:
    keys = ring(tmp_path, Times())
    assert keys.token("203.0.113.7") is not None
    (tmp_path / "collector.key").chmod(0o644)
    assert keys.token("203.0.113.7") is None
    (tmp_path / "collector.key").chmod(0o600)
    assert keys.token("203.0.113.7") is not None


def test_the_old_key_is_gone_after_a_week_without_a_ping(house: House) -> None:
    """Nobody sends; the collector's own hour comes round."""
    house.client.post("/ping", json=house.ping())
    path = house.home / "collector.key"
    before = json.loads(path.read_text())
    house.clock.forward(days=30)
    house.service.receiver.keyring.turn()
    after = json.loads(path.read_text())
    assert (after["epoch"] - before["epoch"], after["key"] == before["key"]) == (4, False)


def test_the_collector_itself_turns_the_key(build: Callable[..., House], tmp_path: Path) -> None:
    first = build(home=tmp_path / "one")
    first.client.post("/ping", json=first.ping())
    first.service.stop()
    path = tmp_path / "one" / "collector.key"
    held = json.loads(path.read_text())
    path.write_text(json.dumps({**held, "epoch": held["epoch"] - 3}))
    build(home=tmp_path / "one")
    wait_for(lambda: json.loads(path.read_text())["epoch"] == held["epoch"])


def test_no_key_is_left_in_an_unfinished_file(tmp_path: Path) -> None:
    """Of a process that was killed while it wrote; one that is being written is left alone."""
    old, fresh = tmp_path / "collector.key.99999.new", tmp_path / "collector.key.99998.new"
    for each in (old, fresh):
        each.write_text("{}")
    os.utime(old, (0, 0))
    ring(tmp_path, Times()).turn()
    assert [old.exists(), fresh.exists(), (tmp_path / "collector.key").exists()] == [False, True, False]


def test_several_processes_that_begin_together_have_one_key(tmp_path: Path) -> None:
    path = tmp_path / "collector.key"
    tokens = _of_several(lambda: Keyring(path, Times()).token("203.0.113.9"))
    assert len(set(tokens)) == 1
    assert None not in tokens
    assert [each.name for each in tmp_path.iterdir()] == ["collector.key"]


def _of_several(act: Callable[[], Token | None], processes: int = 8) -> list[Token | None]:
    """What each of several forked processes gets that begin at the same moment."""
    context = multiprocessing.get_context("fork")
    begin, answers = context.Barrier(processes), context.SimpleQueue()

    def work() -> None:
        begin.wait()
        answers.put(act())

    running = [context.Process(target=work) for _ in range(processes)]
    for each in running:
        each.start()
    found = [answers.get() for _ in running]
    for each in running:
        each.join()
    answers.close()
    return found
