"""What can be wrong with the settings, said in one line each."""

from collections.abc import Sequence


def shown(text: str, limit: int = 80) -> str:
    """Text from outside as it may stand in a one-line message: cut to ``limit``, nothing unprintable."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)


class ConfigError(Exception):
    """One thing that is wrong; ``str`` is the one line an operator reads.

    ``file`` names the settings file or the environment variable, ``found`` is safe to show (a secret is not in it).
    """

    def __init__(
        self,
        file: str,
        why: str = "",
        *,
        line: int | None = None,
        key: str | None = None,
        found: str | None = None,
        allowed: str | None = None,
        nearest: str | None = None,
    ) -> None:
        self.file = shown(file, 300)
        self.line = line
        self.key = shown(key, 120) if key is not None else None
        self.found = found
        self.allowed = allowed
        self.nearest = nearest
        self.why = why
        super().__init__(self._line())

    def _line(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        parts = [
            self.why,
            f"found {self.found}" if self.found is not None else "",
            f"allowed: {self.allowed}" if self.allowed is not None else "",
            f"nearest known key: {self.nearest}" if self.nearest is not None else "",
        ]
        said = "; ".join(part for part in parts if part)
        return f"{place}: {self.key}: {said}" if self.key else f"{place}: {said}"


class ConfigErrors(Exception):
    """Everything that is wrong, a line each, in the order of file, then environment."""

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(error) for error in self.errors))
