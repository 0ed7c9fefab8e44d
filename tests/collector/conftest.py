"""A collector of our own for each test, its clock in our hands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flowforge_ui.collector.service import Service
from tests.support.collector import House, Knock, Times, parts


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Builds started collectors; all are stopped at the end."""
    running: list[Service] = []

    def make(*, url: str | None = None, public: bool = False, home: Path | None = None) -> House:
        place = home or tmp_path / f"collector{len(running)}"
        place.mkdir(exist_ok=True)
        clock, knock = Times(), Knock()
        service = Service(parts(place, clock, knock, url=url, public=public))
        service.start()
        running.append(service)
        return House(service, service.application.test_client(), clock, knock, place)

    yield make
    for each in running:
        each.stop()


@pytest.fixture
def house(build: Callable[..., House]) -> House:
    return build()
