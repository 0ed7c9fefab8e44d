"""WSGI around the application: the headers every answer carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class CommonHeaders:
    """Adds headers where the answer has not set its own."""

    def __init__(self, application: WSGIApplication, headers: Mapping[str, str]) -> None:
        self._application = application
        self._headers = tuple((name, name.lower(), value) for name, value in headers.items())

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            present = {name.lower() for name, _ in headers}
            headers = headers + [(name, value) for name, lower, value in self._headers if lower not in present]
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        return self._application(environ, start)
