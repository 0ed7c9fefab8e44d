"""The fleet page: one small document and the built files it names, precompressed."""

from __future__ import annotations

import json
import mimetypes
from pathlib import Path

from flask import Response

_DOCUMENT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Fleet</title>
<link rel="icon" href="data:,">
{links}
<script type="application/json" id="boot">{{"view":"{view}"}}</script>
</head>
<body>
<div id="app"><noscript>This page draws its charts with JavaScript.</noscript></div>
</body>
</html>
"""

# Of a file's name; the system refuses longer ones rather than not to find them.
_LONGEST = 200


class Page:
    """Serves ``dist`` (``manifest.json`` names the entry ``fleet``)."""

    def __init__(self, dist: Path) -> None:
        self._dist = dist

    def render(self, view: str) -> Response:
        """The page for ``fleet``, ``public`` or ``access``; 503 while the front end is not built."""
        try:
            entry = json.loads((self._dist / "manifest.json").read_text("utf-8"))["fleet"]
        except (OSError, KeyError):
            return Response("The front end is not built: run `make build`.\n", 503, mimetype="text/plain")
        links = [f'<link rel="stylesheet" href="assets/{each}">' for each in _listed(entry.get("css"))]
        links += [f'<link rel="modulepreload" href="assets/{each}">' for each in _listed(entry.get("imports"))]
        links.append(f'<script type="module" src="assets/{entry["js"]}"></script>')
        return Response(_DOCUMENT.format(links="\n".join(links), view=view), mimetype="text/html")

    def asset(self, name: str, accept_encoding: str) -> Response | None:
        """A built file, in the smallest encoding the browser takes; None when there is none of that name."""
        path = self._dist / name
        if "/" in name or "\\" in name or name.startswith(".") or len(name) > _LONGEST or not path.is_file():
            return None
        accepted = {each.partition(";")[0].strip() for each in accept_encoding.split(",")}
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        response = Response(mimetype="text/javascript" if kind.endswith("javascript") else kind)
        for encoding, suffix in (("br", ".br"), ("gzip", ".gz")):
            packed = path.with_name(name + suffix)
            if encoding in accepted and packed.is_file():
                response.headers["Content-Encoding"] = encoding
                path = packed
                break
        response.set_data(path.read_bytes())
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def _listed(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(value) if isinstance(value, list) else []
