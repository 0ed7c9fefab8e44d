from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fire import Stand, stand


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Stand]:
    """A product set up, its server not yet running, and the second process."""
    with stand(tmp_path) as found:
        yield found
