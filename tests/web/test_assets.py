"""The built front end: precompressed, immutable, taken up when it is built anew."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from flowforge_ui.factory import Runtime
from tests.conftest import Cast
from tests.web.conftest import Browser, Shell

TEXT = b"/* main-AAAA.js */" * 100


@pytest.mark.parametrize(
    ("accepts", "encoding", "body"),
    [
        ("gzip, deflate, br, zstd", "br", b"brotli of main-AAAA.js"),
        ("gzip", "gzip", None),
        ("identity", None, TEXT),
        ("", None, TEXT),
    ],
)
def test_files_come_in_the_best_encoding(
    runtime: Runtime, accepts: str, encoding: str | None, body: bytes | None
) -> None:
    answer = Browser(runtime).get("/assets/main-AAAA.js", Accept_Encoding=accepts)
    assert answer.status_code == 200
    assert answer.headers.get("Content-Encoding") == encoding
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["Content-Type"] == 'text/javascript; charset="utf-8"'
    assert answer.headers["Cache-Control"] == "max-age=315360000, public, immutable"
    assert "Set-Cookie" not in answer.headers
    assert "Access-Control-Allow-Origin" not in answer.headers
    data = answer.get_data()
    assert (gzip.decompress(data) == TEXT) if body is None else (data == body)


def test_styles_and_licences(runtime: Runtime) -> None:
    browser = Browser(runtime)
    assert browser.get("/assets/style-BBBB.css").headers["Content-Type"] == 'text/css; charset="utf-8"'
    licences = browser.get("/assets/LICENSES.txt")
    assert (licences.status_code, licences.headers.get("Cache-Control")) == (200, None)


@pytest.mark.parametrize(
    "name", ["manifest.json", "main-AAAA.js.br", "..%2fmanifest.json", "../conftest.py", "", "main-AAAA.js/", ".hidden"]
)
def test_nothing_else_of_the_folder_is_served(runtime: Runtime, name: str) -> None:
    assert Browser(runtime).get(f"/assets/{name}").status_code == 404


def test_without_a_build_the_page_says_what_to_do(runtime: Runtime, cast: Cast, dist: Path) -> None:
    (dist / "manifest.json").unlink()
    answer = Browser(runtime).get("/")
    assert (answer.status_code, answer.mimetype) == (503, "text/html")
    assert "make build" in answer.get_data(as_text=True)
    assert Browser(runtime).get("/api/v1/csrf").status_code == 200


def test_a_build_made_meanwhile_is_taken_up(runtime: Runtime, cast: Cast, dist: Path) -> None:
    browser = Browser(runtime)
    assert browser.get("/assets/main-AAAA.js").status_code == 200
    shutil.move(dist / "main-AAAA.js", dist / "main-ZZZZ.js")
    for encoding in ("br", "gz"):
        (dist / f"main-AAAA.js.{encoding}").unlink()
    manifest = json.loads((dist / "manifest.json").read_text())
    manifest["entry"]["js"] = "main-ZZZZ.js"
    (dist / "new").write_text(json.dumps(manifest))
    (dist / "new").replace(dist / "manifest.json")
    shell = Shell(browser.get("/").get_data(as_text=True))
    assert shell.scripts[0][0]["src"] == "/assets/main-ZZZZ.js"
    assert browser.get("/assets/main-ZZZZ.js").status_code == 200
    assert browser.get("/assets/main-AAAA.js").status_code == 404


def test_a_manifest_that_cannot_be_read_leaves_the_last_one(
    runtime: Runtime, cast: Cast, dist: Path, caplog: pytest.LogCaptureFixture
) -> None:
    browser = Browser(runtime)
    browser.get("/")
    (dist / "manifest.json").write_text("{")
    assert browser.get("/").status_code == 200
    assert "make build" in caplog.text
