"""Where threads run: told by the kernel, in threads of their own, as it holds for a thread and what it starts."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from flowforge_ui import processors
from flowforge_ui.platform.passwords import Passwords
from tests.support.fire import worker_pids
from tests.support.product import Product

ALL = frozenset(os.sched_getaffinity(0))


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "_all", frozenset())


def in_a_thread(act: Callable[[], object]) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001 -- told below
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert failures == []


def test_a_thread_and_what_it_starts_stay_on_one_processor() -> None:
    def act() -> None:
        processors.keep_together()
        mine = os.sched_getaffinity(0)
        assert len(mine) == 1
        in_a_thread(lambda: found.append(os.sched_getaffinity(0)))
        assert found == [mine]

    found: list[set[int]] = []
    in_a_thread(act)
    assert os.sched_getaffinity(0) == ALL


def test_long_work_and_what_it_starts_may_run_anywhere_and_comes_back() -> None:
    def act() -> None:
        processors.keep_together()
        mine = os.sched_getaffinity(0)
        with processors.anywhere():
            assert os.sched_getaffinity(0) == ALL
            in_a_thread(lambda: found.append(os.sched_getaffinity(0)))
            with processors.anywhere():
                assert os.sched_getaffinity(0) == ALL
            assert os.sched_getaffinity(0) == ALL
        assert os.sched_getaffinity(0) == mine
        assert found == [ALL]

    found: list[set[int]] = []
    in_a_thread(act)


def test_the_thread_that_began_goes_back_whoever_ends_the_work() -> None:
    def act() -> None:
        processors.keep_together()
        mine = os.sched_getaffinity(0)
        work = contextlib.ExitStack()
        work.enter_context(processors.anywhere())
        assert os.sched_getaffinity(0) == ALL
        in_a_thread(lambda: end(work))
        assert os.sched_getaffinity(0) == mine

    def end(work: contextlib.ExitStack) -> None:
        work.close()
        assert os.sched_getaffinity(0) == ALL

    in_a_thread(act)


def test_passwords_are_hashed_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def hashed(_: PasswordHasher, password: str | bytes) -> str:
        seen.append(os.sched_getaffinity(0))
        return str(password)

    def act() -> None:
        processors.keep_together()
        Passwords(memory_kib=8, rounds=1).hash("correct horse battery")
        assert len(os.sched_getaffinity(0)) == 1

    seen: list[set[int]] = []
    monkeypatch.setattr(PasswordHasher, "hash", hashed)
    in_a_thread(act)
    assert seen[-1] == ALL


def test_where_nothing_was_kept_together_nothing_is_moved() -> None:
    with processors.anywhere():
        assert os.sched_getaffinity(0) == ALL


def test_elsewhere_than_on_linux_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "_supported", False)
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.delattr(os, "sched_setaffinity")
    processors.keep_together()
    with processors.anywhere():
        pass


def test_the_server_answers_on_one_and_delivers_on_any(tmp_path: Path) -> None:
    product = Product(tmp_path)
    product.configure(frontend={"local": {"enabled": True}})
    product.set_up()
    with product.serve() as running:
        (worker,) = worker_pids(running)
        found: dict[str, set[frozenset[int]]] = {}
        for task in Path(f"/proc/{worker}/task").iterdir():
            name = (task / "comm").read_text().strip()
            found.setdefault(name, set()).add(frozenset(os.sched_getaffinity(int(task.name))))
    (together,) = found["tokio-rt-worker"]
    assert len(together) == 1
    assert ALL in found["python"]
