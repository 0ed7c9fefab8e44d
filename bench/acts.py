"""What recording an act's event adds to the act: the same act with the recorder and with one that records nothing.

The two take turns, each in a transaction of its own on a SQLite file with `synchronous=FULL`, as the product has it.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

from sqlalchemy import select

from bench.report import Table
from flowforge_ui.config import load
from flowforge_ui.database import reading, transaction
from flowforge_ui.factory import build
from flowforge_ui.platform import tables, teams, users
from flowforge_ui.platform.actor import Actor
from flowforge_ui.platform.house import Platform
from flowforge_ui.platform.record import Ledger
from flowforge_ui.telemetry.recorder import NullRecorder
from tests.support.product import Product

ACTS = 1000


def report(acts: int = ACTS) -> list[Table]:
    with tempfile.TemporaryDirectory() as folder:
        product = Product(Path(folder))
        product.configure(frontend={"local": {"enabled": True}})
        product.set_up()
        runtime = build(load(Path(folder) / "flowforge.yml", {}, cwd=Path(folder)))
        try:
            return [_measure(runtime.house.platform, acts)]
        finally:
            runtime.stop()


def _measure(platform: Platform, acts: int) -> Table:
    actor = _administrator(platform)
    ledgers = {"with its event": platform.ledger, "without": replace(platform.ledger, recorder=NullRecorder())}
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in ledgers}
    for number in range(acts):
        for name, ledger in ledgers.items():
            spent[name].append(_once(platform, ledger, actor, number))
    title = f"Creating a team, {acts} times with its event and {acts} times without, the middle, microseconds"
    table = Table(title, ["", "processor", "clock", "ratio"])
    middle = {name: tuple(median(column) * 1e6 for column in zip(*found, strict=True)) for name, found in spent.items()}
    for name, found in middle.items():
        table.add(name, *(f"{one:,.0f}" for one in found), f"{found[0] / middle['without'][0]:.2f}")
    differences = zip(*(middle[name] for name in ledgers), strict=True)
    table.add("the event adds", *(f"{recorded - silent:,.0f}" for recorded, silent in differences), "")
    table.note("The ratio is that of the processor's time to the same act without its event.")
    return table


def _administrator(platform: Platform) -> Actor:
    with reading(platform.engine) as tx:
        user_id = tx.execute(select(tables.users.c.id)).scalar_one()
        return users.get(tx, user_id).actor(platform.pseudonyms)


def _once(platform: Platform, ledger: Ledger, actor: Actor, number: int) -> tuple[float, float]:
    cpu, wall = time.thread_time(), time.perf_counter()
    with transaction(platform.engine) as tx:
        teams.create(tx, ledger, actor, f"Team {number}")
    return time.thread_time() - cpu, time.perf_counter() - wall


if __name__ == "__main__":
    for table in report():
        print(table)
