"""The one HTML page: boot facts as data, one script, nothing else inline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import orjson
from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup

if TYPE_CHECKING:
    from pathlib import Path

    from .assets import Assets

PRODUCT = "FlowForge"

# Inside <script type="application/json"> only these could end or comment out the element; U+2028 and U+2029 are
# line ends to old JavaScript parsers. As JSON escapes they mean the same.
_ESCAPES = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029", "'": "\\u0027"}
)


def embed(facts: Mapping[str, object]) -> Markup:
    """JSON that may stand inside a script element, whatever the values hold."""
    return Markup(orjson.dumps(facts).decode().translate(_ESCAPES))  # noqa: S704 - what could end the element is escaped


class Shell:
    """Renders the page for given facts. Pure once made."""

    def __init__(self, templates: Path) -> None:
        environment = Environment(
            loader=FileSystemLoader(templates), autoescape=select_autoescape(default=True), auto_reload=False
        )
        self._shell = environment.get_template("shell.html")
        self._error = environment.get_template("error.html")
        self.icon = (templates / "favicon.svg").read_bytes()

    def page(self, assets: Assets, title: str, facts: Mapping[str, object], view: str | None = None) -> str:
        """`view` names the route whose view will be shown: what it is in comes together with the entry script."""
        return self._shell.render(
            title=f"{title} · {PRODUCT}",
            entry=assets.entry,
            styles=assets.styles,
            preload=(*assets.preload, *assets.views.get(view or "", ())),
            boot=embed(facts),
        )

    def error(self, title: str, sentence: str) -> str:
        return self._error.render(title=f"{title} · {PRODUCT}", sentence=sentence)
