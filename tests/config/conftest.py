from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from flowforge_ui.config import ConfigErrors, Settings, load


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Settings]:
    """Settings from a file's text (None: no file) and an environment, in a directory of their own."""

    def read(text: str | bytes | None = None, environ: Mapping[str, str] | None = None) -> Settings:
        if text is None:
            return load(None, environ or {}, cwd=tmp_path)
        path = tmp_path / "flowforge.yml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load(path, environ or {}, cwd=tmp_path)

    return read


@pytest.fixture
def refused(read: Callable[..., Settings]) -> Callable[..., list[str]]:
    """The lines that say what is wrong."""

    def refused(text: str | bytes | None = None, environ: Mapping[str, str] | None = None) -> list[str]:
        with pytest.raises(ConfigErrors) as caught:
            read(text, environ)
        assert str(caught.value).split("\n") == [str(error) for error in caught.value.errors]
        return [str(error) for error in caught.value.errors]

    return refused
