"""200 browsers while PostHog hangs, for a short while: facts, no times. `python -m bench.soak` does it for minutes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.soak import soak
from tests.support.fire import OURS

pytestmark = pytest.mark.slow
GROWTH_MIB = 100


def test_a_crowd_while_posthog_hangs_harms_nobody(tmp_path: Path) -> None:
    found = soak(tmp_path, seconds=12, browsers=200, samples=8)
    assert set(found.browsers.answers) == {200}
    assert found.browsers.broken == 0
    sent = set(found.browsers.sent)
    assert len(sent) == len(found.browsers.sent) > 1000
    backlogs = [sample.backlog for sample in found.samples]
    assert backlogs == sorted(backlogs)
    assert found.growth < GROWTH_MIB
    assert sent <= set(found.expected)
    assert len(found.expected) == len(sent) + OURS
    assert found.kept == len(found.expected)
    assert found.told == found.expected
