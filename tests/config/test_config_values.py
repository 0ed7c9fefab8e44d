"""Every key, from each layer, typed, with the layer it came from."""

from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

import pytest
import yaml

from flowforge_ui.config import KEYS, Origin, Settings, load, rows, variable

Load = Callable[..., Settings]
Refuse = Callable[..., list[str]]

# For every key: text as the environment gives it, the value as YAML gives it, and what the program receives.
GIVEN: dict[str, tuple[str, object, object]] = {
    "host": ("0.0.0.0", "0.0.0.0", "0.0.0.0"),
    "port": ("8080", 8080, 8080),
    "base_url": ("https://Flow.Example.com/", "https://Flow.Example.com/", "https://flow.example.com"),
    "home": ("/srv/flowforge", "/srv/flowforge", Path("/srv/flowforge")),
    "database.url": ("postgres://u:p@db/ff", "postgres://u:p@db/ff", "postgresql+psycopg://u:p@db/ff"),
    "workers": ("1", 1, 1),
    "trusted_proxies": (
        "10.0.0.0/8, ::1",
        ["10.0.0.0/8", "::1"],
        (ip_network("10.0.0.0/8"), ip_network("::1/128")),
    ),
    "driver.type": ("localfs", "localfs", "localfs"),
    "telemetry.enabled": ("off", False, False),
    "telemetry.url": ("http://127.0.0.1:9/ping/", "http://127.0.0.1:9/ping/", "http://127.0.0.1:9/ping"),
    "telemetry.proxy": ("http://u:p@proxy:3128", "http://u:p@proxy:3128", "http://u:p@proxy:3128"),
    "telemetry.frontend.posthog.apikey": (" phc_abc ", " phc_abc ", "phc_abc"),
    "telemetry.frontend.posthog.apiurl": ("https://ph.example.com", "https://ph.example.com", "https://ph.example.com"),
    "telemetry.frontend.posthog.capture_pageview": ("no", False, False),
    "telemetry.frontend.posthog.transport": ("direct", "direct", "direct"),
    "telemetry.frontend.posthog.pageleave": ("exit", "exit", "exit"),
    "telemetry.frontend.posthog.identity": ("anonymous", "anonymous", "anonymous"),
    "telemetry.frontend.posthog.personal_apikey": ("phx_12345678", "phx_12345678", "phx_12345678"),
    "telemetry.frontend.local.enabled": ("1", True, True),
    "telemetry.frontend.local.url": (
        "clickhouse://u:p@ch:8123/ff",
        "clickhouse://u:p@ch:8123/ff",
        "clickhouse://u:p@ch:8123/ff",
    ),
    "telemetry.frontend.local.retention_days": ("30", 30, 30),
    "telemetry.frontend.respect.gpc": ("false", False, False),
    "telemetry.frontend.respect.dnt": ("FALSE", False, False),
    "telemetry.frontend.plausible.domain": ("example.com", "example.com", "example.com"),
    "telemetry.frontend.plausible.src": ("https://p.example.com", "https://p.example.com", "https://p.example.com"),
    "collector.mount": ("yes", True, True),
    "collector.host": ("::", "::", "::"),
    "collector.port": ("4000", 4000, 4000),
    "collector.database_url": ("sqlite:////srv/c.db", "sqlite:////srv/c.db", "sqlite:////srv/c.db"),
    "collector.key_file": ("/srv/key", "/srv/key", Path("/srv/key")),
    "collector.access_token": ("0123456789abcdef", "0123456789abcdef", "0123456789abcdef"),
    "collector.public": ("on", True, True),
    "collector.retention_days": ("7", 7, 7),
}


def value(settings: Settings, key: str) -> object:
    found: object = settings
    for part in key.split("."):
        found = getattr(found, part)
    return found


def nested(key: str, given: object) -> str:
    for part in reversed(key.split(".")):
        given = {part: given}
    return yaml.safe_dump(given)


@pytest.mark.parametrize("place", ["", "/", "/js/plausible.js", "/js/script.outbound-links.js", "/script.js"])
def test_the_older_form_of_plausibles_address_names_its_script(read: Load, place: str) -> None:
    url = f"https://stats.example{place}"
    settings = read(None, {"FLOWFORGE_TELEMETRY__FRONTEND__PLAUSIBLE__SRC": url})
    assert settings.telemetry.frontend.plausible.src == url.rstrip("/")


def test_the_examples_below_cover_every_key() -> None:
    assert list(GIVEN) == list(KEYS)


@pytest.mark.parametrize("key", GIVEN)
def test_from_the_file(read: Load, key: str) -> None:
    _, given, expected = GIVEN[key]
    text = nested(key, given)
    settings = read(text)
    assert value(settings, key) == expected
    line = len(key.split("."))
    assert settings.origin(key) == Origin("file", f"flowforge.yml:{line}")


@pytest.mark.parametrize("key", GIVEN)
def test_from_the_environment(read: Load, key: str) -> None:
    text, _, expected = GIVEN[key]
    settings = read(None, {variable(key): text})
    assert value(settings, key) == expected
    assert settings.origin(key) == Origin("environment", variable(key))


@pytest.mark.parametrize("key", GIVEN)
def test_from_a_secret_file(read: Load, tmp_path: Path, key: str) -> None:
    text, _, expected = GIVEN[key]
    (tmp_path / "secret").write_text(text + "\r\n")
    name = variable(key) + "_FILE"
    settings = read(None, {name: "secret"})
    assert value(settings, key) == expected
    assert settings.origin(key) == Origin("secret_file", name)


@pytest.mark.parametrize("key", GIVEN)
def test_by_default(read: Load, key: str) -> None:
    assert read().origin(key) == Origin("default", "built in")


def test_the_variable_of_the_contract_has_its_name() -> None:
    key = "telemetry.frontend.posthog.apikey"
    assert variable(key) == "FLOWFORGE_TELEMETRY__FRONTEND__POSTHOG__APIKEY"


def test_the_environment_stands_above_the_file(read: Load) -> None:
    settings = read("port: 1000\nworkers: 1", {"FLOWFORGE_PORT": "2000"})
    assert (settings.port, settings.origin("port").layer) == (2000, "environment")
    assert settings.origin("workers").layer == "file"


def test_an_empty_variable_counts_as_not_set(read: Load) -> None:
    settings = read("port: 1000", {"FLOWFORGE_PORT": " ", "FLOWFORGE_HOST_FILE": ""})
    assert (settings.port, settings.origin("port").layer) == (1000, "file")


@pytest.mark.parametrize("text", ["null", "~", "", '""'])
def test_null_unsets_a_key_that_may_be_null(read: Load, text: str) -> None:
    settings = read(f"telemetry: {{proxy: {text or 'null'}}}\ncollector:\n  access_token: {text}")
    assert settings.telemetry.proxy is None
    assert settings.collector.access_token is None


def test_null_from_the_environment_beats_the_file(read: Load) -> None:
    key = "telemetry.frontend.posthog.apikey"
    settings = read(nested(key, "phc_abc"), {variable(key): "null"})
    assert settings.telemetry.frontend.posthog.apikey is None
    assert settings.origin(key).layer == "environment"


def test_null_elsewhere_is_no_value(refused: Refuse) -> None:
    assert refused("port:") == ["flowforge.yml:1: port: found nothing; allowed: a whole number from 1 to 65535"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "telemetry:\n  frontend:\n", "{}", "\ufeff{}"])
def test_a_file_that_says_nothing_is_fine(read: Load, text: str) -> None:
    assert [(row.key, row.value) for row in rows(read(text))] == [(row.key, row.value) for row in rows(read())]


def test_the_example_of_the_repository(tmp_path: Path) -> None:
    settings = load(Path(__file__).parents[2] / "flowforge.example.yml", {}, cwd=tmp_path)
    assert settings.warnings == ()
    assert settings.telemetry.frontend.local.enabled is True
    assert settings.collector.mount is True
    assert settings.telemetry.frontend.posthog.apikey is None
    assert settings.telemetry.frontend.posthog.capture_pageview is False
    assert settings.telemetry.frontend.plausible.domain is None
    # Nothing leaves the machine: the only address something is sent to is this server's own.
    assert settings.telemetry.url == f"{settings.base_url}/collector/ping" == "http://127.0.0.1:3000/collector/ping"


def test_secrets_are_in_no_repr(read: Load) -> None:
    secret = "phx_s3cr3ts3cr3t"
    settings = read(
        None,
        {
            "FLOWFORGE_DATABASE__URL": f"postgresql://u:{secret}@db/ff",
            "FLOWFORGE_COLLECTOR__ACCESS_TOKEN": secret,
            "FLOWFORGE_TELEMETRY__PROXY": f"http://u:{secret}@proxy",
            "FLOWFORGE_TELEMETRY__FRONTEND__POSTHOG__PERSONAL_APIKEY": secret,
            "FLOWFORGE_TELEMETRY__FRONTEND__LOCAL__URL": f"clickhouse://u:{secret}@ch/ff",
        },
    )
    assert settings.collector.access_token == secret
    assert secret not in repr(settings)
    assert secret not in repr(rows(settings))
    shown = {row.key: row.value for row in rows(settings)}
    assert shown["database.url"] == "postgresql+psycopg://u:****@db/ff"
    assert shown["collector.access_token"] == "********"
    assert shown["telemetry.frontend.posthog.apikey"] is None
