"""The built front end: what the shell names, and the files themselves, precompressed and immutable."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from .headers import DATA_POLICY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from wsgiref.headers import Headers
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from whitenoise import WhiteNoise

log = logging.getLogger(__name__)

PREFIX = "/assets/"
_TYPES = frozenset({".js", ".css", ".svg", ".woff2", ".txt"})


@dataclass(frozen=True, slots=True)
class Assets:
    """Addresses for the shell: the entry script, its static imports, the style sheets, what each route's view is in."""

    entry: str
    preload: tuple[str, ...]
    styles: tuple[str, ...]
    views: Mapping[str, tuple[str, ...]]


class Bundle:
    """What ``make build`` left in a folder. A build made while the server runs is taken up at the next page."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._manifest = folder / "manifest.json"
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._assets: Assets | None = None
        self._files: WhiteNoise | None = None

    def assets(self) -> Assets | None:
        """None while nothing has been built."""
        try:
            stat = self._manifest.stat()
        except OSError:
            return None
        stamp = stat.st_mtime_ns, stat.st_ino
        if stamp != self._stamp:
            with self._lock:
                self._take_up(stamp)
        return self._assets

    def file(self, path: str) -> WhiteNoise | None:
        """Who serves the file at a path, if it is one of ours."""
        if not path.startswith(PREFIX):
            return None
        self.assets()
        return self._files if self._files is not None and path in self._files.files else None

    def _take_up(self, stamp: tuple[int, int]) -> None:
        if stamp == self._stamp:
            return
        try:
            manifest = json.loads(self._manifest.read_text("utf-8"))
            entry = manifest["entry"]
            assets = Assets(
                entry=PREFIX + entry["js"],
                preload=tuple(PREFIX + name for name in entry["imports"]),
                styles=(PREFIX + entry["css"],),
                views={route: tuple(PREFIX + name for name in names) for route, names in manifest["routes"].items()},
            )
            files = _serving(self._folder)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            log.exception("The built front end cannot be read; run `make build`")
            return
        self._assets, self._files, self._stamp = assets, files, stamp


def _serving(folder: Path) -> WhiteNoise:
    from whitenoise import WhiteNoise

    files = WhiteNoise(
        _nothing, max_age=None, allow_all_origins=False, add_headers_function=_headers, immutable_file_test=_immutable
    )
    stats = {str(path): path.stat() for path in folder.iterdir() if path.is_file()}
    for name in stats:
        path = folder / name
        if path.suffix in _TYPES:
            files.add_file_to_dictionary(PREFIX + path.name, name, stat_cache=stats)
    return files


def _nothing(_environ: WSGIEnvironment, _start_response: StartResponse) -> Iterable[bytes]:
    return []


def _headers(headers: Headers, _path: str, _url: str) -> None:
    headers["Content-Security-Policy"] = DATA_POLICY


def _immutable(_path: str, url: str) -> bool:
    """Names carry their content's hash; the licences do not."""
    return not url.endswith(".txt")


def _whole(answer: Iterable[bytes]) -> list[bytes]:
    """The files are small: the server sends one piece faster than many, and nothing stays open."""
    try:
        return [b"".join(answer)]
    finally:
        if isinstance(answer, Closing):
            answer.close()


@runtime_checkable
class Closing(Protocol):
    """What WSGI wants closed when it has been sent."""

    def close(self) -> None: ...


class BuiltFiles:
    """WSGI: GET and HEAD of built files are WhiteNoise's; everything else, a wrong method too, is the application's."""

    def __init__(self, application: WSGIApplication, serving: Callable[[str], WhiteNoise | None]) -> None:
        self._application = application
        self._serving = serving

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] in {"GET", "HEAD"}:
            files = self._serving(environ.get("PATH_INFO", ""))
            if files is not None:
                return _whole(files(environ, start_response))
        return self._application(environ, start_response)
