"""Tables as Markdown, so that what is printed can stand in docs/performance.md as it is."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Table:
    """Rows under headings; the first column is text, the others are numbers."""

    title: str
    head: list[str]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *row: str) -> None:
        self.rows.append(row)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def __str__(self) -> str:
        widths = [max(len(row[at]) for row in [tuple(self.head), *self.rows]) for at in range(len(self.head))]
        lines = [f"### {self.title}", "", _line(self.head, widths)]
        lines.append("|" + "|".join("-" * (width + 1) + (":" if at else "-") for at, width in enumerate(widths)) + "|")
        lines += [_line(row, widths) for row in self.rows]
        if self.notes:
            lines += ["", *self.notes]
        return "\n".join([*lines, ""])


def _line(cells: tuple[str, ...] | list[str], widths: list[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
    return f"| {' | '.join(padded)} |"
