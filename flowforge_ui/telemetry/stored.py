"""Properties as they lie in the log: JSON text, read into values only when somebody looks at them.

Whoever passes them on whole, as the local store does, takes the text and spares itself the reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import orjson

from .event import Scalar


class StoredProperties(Mapping[str, Scalar]):
    """`text` is a JSON object as `Outbox.row` has written it: of what the plan allows, in its types."""

    __slots__ = ("_values", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._values: dict[str, Scalar] | None = None

    @property
    def _read(self) -> dict[str, Scalar]:
        if self._values is None:
            self._values = orjson.loads(self.text)
        return self._values

    def __getitem__(self, name: str) -> Scalar:
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read)

    def __len__(self) -> int:
        return len(self._read)

    def __repr__(self) -> str:
        return f"StoredProperties({self.text!r})"
