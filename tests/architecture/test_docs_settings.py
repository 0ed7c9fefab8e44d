"""docs/settings.md says what the table says, and the table says what was promised to operators."""

import subprocess
import sys
from pathlib import Path

from flowforge_ui.config import KEYS

ROOT = Path(__file__).parents[2]

# What is promised: every key and its default. Changing a line here breaks somebody's installation.
PROMISED: dict[str, object] = {
    "host": "127.0.0.1",
    "port": 3000,
    "base_url": None,
    "home": "./var",
    "database.url": "sqlite:///{home}/flowforge.db",
    "workers": 1,
    "trusted_proxies": (),
    "driver.type": "localfs",
    "telemetry.enabled": True,
    "telemetry.url": "https://ping.flowforge.com",
    "telemetry.proxy": None,
    "telemetry.frontend.posthog.apikey": None,
    "telemetry.frontend.posthog.apiurl": "https://us.i.posthog.com",
    "telemetry.frontend.posthog.capture_pageview": True,
    "telemetry.frontend.posthog.transport": "relay",
    "telemetry.frontend.posthog.pageleave": "route",
    "telemetry.frontend.posthog.identity": "pseudonymous",
    "telemetry.frontend.posthog.personal_apikey": None,
    "telemetry.frontend.local.enabled": False,
    "telemetry.frontend.local.url": "duckdb:///{home}/analytics.duckdb",
    "telemetry.frontend.local.retention_days": 395,
    "telemetry.frontend.respect.gpc": True,
    "telemetry.frontend.respect.dnt": True,
    "telemetry.frontend.plausible.domain": None,
    "telemetry.frontend.plausible.src": "https://plausible.io",
    "collector.mount": False,
    "collector.host": "127.0.0.1",
    "collector.port": 3001,
    "collector.database_url": "sqlite:///{home}/collector.db",
    "collector.key_file": "{home}/collector.key",
    "collector.access_token": None,
    "collector.public": False,
    "collector.retention_days": 90,
}

SECRET = {
    "telemetry.frontend.posthog.apikey",
    "telemetry.frontend.posthog.personal_apikey",
    "collector.access_token",
}


def test_every_promised_key_is_there_with_its_default() -> None:
    assert {key: spec.default for key, spec in KEYS.items()} == PROMISED


def test_the_secrets_are_known_as_such() -> None:
    assert {key for key, spec in KEYS.items() if spec.secret} == SECRET


def test_the_page_is_current() -> None:
    command = [sys.executable, "scripts/generate_docs.py", "--check"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_the_page_names_every_key() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    listed = [
        line.split("`")[1] for line in page.split("## Keys")[1].split("## Other")[0].splitlines() if "| `" in line
    ]
    assert listed == list(PROMISED)
