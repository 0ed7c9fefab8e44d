"""`flowforge config check|show` as an operator and a script see it: real processes, real files."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flowforge_ui import __version__
from flowforge_ui.config import KEYS

SECRET = "phx_s3cr3ts3cr3t"


def flowforge(cwd: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: text for name, text in os.environ.items() if not name.startswith("FLOWFORGE_")}
    clean |= {"PYTHONPATH": str(Path(__file__).parents[2])} | environ
    command = [sys.executable, "-m", "flowforge_ui", *arguments]
    return subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, check=False, timeout=60)


def test_check_says_ok_and_warns(tmp_path: Path) -> None:
    (tmp_path / "flowforge.yml").write_text("trusted_proxies: ['::/0']\n")
    result = flowforge(tmp_path, "config", "check")
    assert (result.returncode, result.stdout) == (0, f"ok: {tmp_path}/flowforge.yml\n")
    assert result.stderr.startswith("Warning: flowforge.yml:1: trusted_proxies: ::/0 believes everybody")


def test_check_without_a_file(tmp_path: Path) -> None:
    result = flowforge(tmp_path, "config", "check", "--json")
    assert (result.returncode, json.loads(result.stdout)) == (0, {"ok": True, "errors": [], "warnings": []})


def test_check_says_everything_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "other.yml").write_text("prot: 1\nport: many\n")
    result = flowforge(tmp_path, "--config", "other.yml", "config", "check")
    assert (result.returncode, result.stdout) == (1, "")
    first, second = result.stderr.splitlines()
    assert first.startswith("Error: other.yml:1: prot: unknown key; known here: ")
    assert first.endswith("nearest known key: port")
    assert second.strip() == 'other.yml:2: port: found text ("many"); allowed: a whole number from 1 to 65535'


def test_check_for_scripts(tmp_path: Path) -> None:
    (tmp_path / "flowforge.yml").write_text("port: 0\n")
    result = flowforge(tmp_path, "config", "check", "--json")
    line = 'flowforge.yml:1: port: found "0"; allowed: a whole number from 1 to 65535'
    assert (result.returncode, json.loads(result.stdout)) == (
        1,
        {
            "ok": False,
            "errors": [
                {
                    "file": "flowforge.yml",
                    "line": 1,
                    "key": "port",
                    "found": '"0"',
                    "allowed": "a whole number from 1 to 65535",
                    "nearest": None,
                    "message": line,
                }
            ],
            "warnings": [],
        },
    )


@pytest.mark.parametrize("command", ["check", "show"])
def test_a_file_that_was_named_must_be_there(tmp_path: Path, command: str) -> None:
    for arguments, environ in ((["--config", "gone.yml"], {}), ([], {"FLOWFORGE_CONFIG": "gone.yml"})):
        result = flowforge(tmp_path, *arguments, "config", command, **environ)
        assert (result.returncode, result.stdout, result.stderr) == (
            1,
            "",
            "Error: gone.yml: the file cannot be read: No such file or directory\n",
        )


def test_show_names_every_key_with_its_layer_and_masks_secrets(tmp_path: Path) -> None:
    (tmp_path / "flowforge.yml").write_text("collector:\n  port: 4000\ntrusted_proxies: [10.0.0.0/8]\n")
    (tmp_path / "secret").write_text(SECRET)
    environ = {
        "FLOWFORGE_TELEMETRY__FRONTEND__POSTHOG__PERSONAL_APIKEY_FILE": "secret",
        "FLOWFORGE_COLLECTOR__DATABASE_URL": f"postgresql://me:{SECRET}@db/fleet",
        "DO_NOT_TRACK": "1",
    }
    as_json = flowforge(tmp_path, "config", "show", "--json", **environ)
    as_text = flowforge(tmp_path, "config", "show", **environ)
    assert (as_json.returncode, as_json.stderr, as_text.returncode, as_text.stderr) == (0, "", 0, "")
    assert SECRET not in as_json.stdout + as_text.stdout
    listed = json.loads(as_json.stdout)
    assert (listed["file"], listed["warnings"]) == (f"{tmp_path}/flowforge.yml", [])
    shown = {row.pop("key"): row for row in listed["settings"]}
    assert list(shown) == list(KEYS)
    assert [line.split()[0] for line in as_text.stdout.splitlines()] == list(KEYS)
    assert shown["host"] == {"value": "127.0.0.1", "layer": "default", "where": "built in"}
    assert shown["collector.port"] == {"value": 4000, "layer": "file", "where": "flowforge.yml:2"}
    assert shown["trusted_proxies"] == {"value": ["10.0.0.0/8"], "layer": "file", "where": "flowforge.yml:3"}
    assert shown["telemetry.enabled"] == {"value": False, "layer": "environment", "where": "DO_NOT_TRACK"}
    assert shown["telemetry.frontend.posthog.personal_apikey"] == {
        "value": "********",
        "layer": "secret_file",
        "where": "FLOWFORGE_TELEMETRY__FRONTEND__POSTHOG__PERSONAL_APIKEY_FILE",
    }
    assert shown["collector.database_url"]["value"] == "postgresql+psycopg://me:****@db/fleet"


def test_the_version(tmp_path: Path) -> None:
    result = flowforge(tmp_path, "--version")
    assert (result.returncode, result.stdout) == (0, f"flowforge {__version__}\n")


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    environ = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    pipe = f"{sys.executable} -m flowforge_ui config show | head -1"
    result = subprocess.run(
        pipe, shell=True, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False, timeout=60
    )
    assert (result.stdout.split()[0], result.stderr) == ("host", "")
