"""What the settings mean together."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from flowforge_ui.config import ConfigErrors, Origin, Settings, find

Load = Callable[..., Settings]
Refuse = Callable[..., list[str]]

POSTHOG = "FLOWFORGE_TELEMETRY__FRONTEND__POSTHOG__"
LOCAL = "FLOWFORGE_TELEMETRY__FRONTEND__LOCAL__"
ENABLED = "FLOWFORGE_TELEMETRY__ENABLED"
LOCAL_KEY = "telemetry.frontend.local"
PG_URL = "postgresql+psycopg://u:p@db/ff"


@pytest.mark.parametrize(
    ("environ", "base_url"),
    [
        ({}, "http://127.0.0.1:3000"),
        ({"FLOWFORGE_HOST": "0.0.0.0", "FLOWFORGE_PORT": "80"}, "http://127.0.0.1:80"),
        ({"FLOWFORGE_HOST": "::"}, "http://[::1]:3000"),
        ({"FLOWFORGE_HOST": "[fd00::5]"}, "http://[fd00::5]:3000"),
        ({"FLOWFORGE_HOST": "plant7"}, "http://plant7:3000"),
        ({"FLOWFORGE_HOST": "plant7", "FLOWFORGE_BASE_URL": "https://ff.example.com/"}, "https://ff.example.com"),
    ],
)
def test_base_url_is_derived_from_host_and_port(read: Load, environ: dict[str, str], base_url: str) -> None:
    assert read(None, environ).base_url == base_url


def test_home_is_absolute_and_filled_in(read: Load, tmp_path: Path) -> None:
    settings = read("home: data/../state")
    home = tmp_path / "state"
    assert settings.home == home
    assert settings.database.url == f"sqlite:///{home}/flowforge.db"
    assert settings.telemetry.frontend.local.url == f"duckdb:///{home}/analytics.duckdb"
    assert settings.collector.database_url == f"sqlite:///{home}/collector.db"
    assert settings.collector.key_file == home / "collector.key"


def test_home_comes_from_its_variable(read: Load, tmp_path: Path) -> None:
    settings = read("home: a", {"FLOWFORGE_HOME": "/srv/with space"})
    assert settings.home == Path("/srv/with space")
    assert settings.database.url == "sqlite:////srv/with space/flowforge.db"
    assert settings.origin("home") == Origin("environment", "FLOWFORGE_HOME")


def test_relative_files_start_at_the_working_directory(read: Load, tmp_path: Path) -> None:
    settings = read("database: {url: 'sqlite:///a.db'}\ncollector: {key_file: k}")
    assert settings.database.url == f"sqlite:///{tmp_path}/a.db"
    assert settings.collector.key_file == tmp_path / "k"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://app.posthog.com", "https://us.i.posthog.com"),
        ("https://us.posthog.com/", "https://us.i.posthog.com"),
        ("http://EU.posthog.com/project/1", "https://eu.i.posthog.com"),
    ],
)
def test_posthog_hosts_are_mapped_with_a_warning(read: Load, given: str, used: str) -> None:
    settings = read(f"telemetry:\n  frontend:\n    posthog:\n      apiurl: {given}")
    assert settings.telemetry.frontend.posthog.apiurl == used
    (warning,) = settings.warnings
    assert warning.startswith("flowforge.yml:4: telemetry.frontend.posthog.apiurl: ")
    assert f"{used} is used" in warning


@pytest.mark.parametrize(
    "url", ["https://us.i.posthog.com", "https://eu.i.posthog.com", "https://posthog.example.com", "http://127.0.0.1:9"]
)
def test_other_posthog_hosts_are_left_alone(read: Load, url: str) -> None:
    settings = read(None, {f"{POSTHOG}APIURL": url})
    assert (settings.telemetry.frontend.posthog.apiurl, settings.warnings) == (url, ())


@pytest.mark.parametrize(
    ("apikey", "capture", "warned"),
    [("phc_a", "true", True), ("phc_a", "false", False), ("", "true", False), ("", "false", False)],
)
def test_capture_pageview_is_warned_of_only_with_a_key(read: Load, apikey: str, capture: str, warned: bool) -> None:
    settings = read(None, {f"{POSTHOG}APIKEY": apikey, f"{POSTHOG}CAPTURE_PAGEVIEW": capture})
    assert settings.telemetry.frontend.posthog.capture_pageview is (capture == "true")
    assert ["views are counted twice" in warning for warning in settings.warnings] == [True] * warned


def test_direct_transport_is_warned_of_beside_local_analytics(read: Load) -> None:
    direct = {f"{POSTHOG}APIKEY": "phc_a", f"{POSTHOG}CAPTURE_PAGEVIEW": "false", f"{POSTHOG}TRANSPORT": "direct"}
    assert read(None, direct).warnings == ()
    (warning,) = read(None, direct | {f"{LOCAL}ENABLED": "true"}).warnings
    assert warning.startswith(f"{POSTHOG}TRANSPORT: telemetry.frontend.posthog.transport: ")


PLAUSIBLE_SRC = "FLOWFORGE_TELEMETRY__FRONTEND__PLAUSIBLE__SRC"
IPV6 = "http://[fd00::5]:8000"
BLOCKED = "a page's security policy cannot name an IPv6 address, so that browsers would block every event"


def test_browsers_are_sent_to_no_ipv6_address(read: Load, refused: Refuse) -> None:
    relayed = read(None, {f"{POSTHOG}APIURL": IPV6})
    assert relayed.telemetry.frontend.posthog.apiurl == IPV6
    text = f"telemetry:\n  frontend:\n    posthog:\n      apiurl: '{IPV6}'\n      transport: direct\n"
    (said,) = refused(text)
    assert said == (
        f"flowforge.yml:5: telemetry.frontend.posthog.transport: {BLOCKED}; found direct to {IPV6}; "
        "allowed: relay, or an apiurl with a host name or an IPv4 address"
    )
    (said,) = refused(None, {PLAUSIBLE_SRC: IPV6})
    assert said == (
        f"{PLAUSIBLE_SRC}: telemetry.frontend.plausible.src: {BLOCKED}; found {IPV6}; "
        "allowed: a host name or an IPv4 address"
    )
    assert read(None, {f"{POSTHOG}TRANSPORT": "direct", f"{POSTHOG}APIURL": "http://10.0.0.5:8000"}).warnings == ()


def test_plausible_is_deprecated_and_says_how_to_move(read: Load) -> None:
    settings = read("telemetry:\n  frontend:\n    plausible:\n      domain: example.com")
    assert settings.telemetry.frontend.plausible.domain == "example.com"
    (warning,) = settings.warnings
    assert warning.startswith("flowforge.yml:4: telemetry.frontend.plausible.domain: Plausible is deprecated since 0.9")
    assert "telemetry.frontend.posthog.apikey" in warning


@pytest.mark.parametrize(
    ("text", "environ", "where"),
    [
        ("telemetry:\n  plausible:\n    domain: example.com", {}, "flowforge.yml:3"),
        ("", {"FLOWFORGE_TELEMETRY__PLAUSIBLE__DOMAIN": "example.com"}, "FLOWFORGE_TELEMETRY__PLAUSIBLE__DOMAIN"),
    ],
)
def test_the_older_form_of_plausible_is_moved(read: Load, text: str, environ: dict[str, str], where: str) -> None:
    settings = read(text, environ)
    assert settings.telemetry.frontend.plausible.domain == "example.com"
    assert settings.origin("telemetry.frontend.plausible.domain").where == where
    moved, deprecated = settings.warnings
    assert moved == f"{where}: telemetry.plausible.domain has moved: write it as telemetry.frontend.plausible.domain"
    assert "deprecated" in deprecated


def test_both_forms_of_plausible_at_once(refused: Refuse) -> None:
    text = "telemetry:\n  plausible:\n    domain: a.com\n  frontend: {plausible: {domain: b.com}}"
    (said,) = refused(text)
    assert said == (
        "flowforge.yml:3: telemetry.plausible.domain: telemetry.plausible.domain is the older name of "
        "telemetry.frontend.plausible.domain, which is set too (flowforge.yml:4); remove the older"
    )


PG = {"FLOWFORGE_DATABASE__URL": "postgresql://u:p@db/ff"}
ON = {f"{LOCAL}ENABLED": "true"}
CLICKHOUSE = {f"{LOCAL}URL": "clickhouse://u:p@ch/ff"}


@pytest.mark.parametrize(("pg", "on", "clickhouse"), list(itertools.product((False, True), repeat=3)))
def test_what_several_workers_need(read: Load, pg: bool, on: bool, clickhouse: bool) -> None:
    environ = (PG if pg else {}) | (ON if on else {}) | (CLICKHOUSE if clickhouse else {})
    assert read("workers: 1", environ).workers == 1
    wrong = [] if pg else ["1 while database.url is SQLite"]
    wrong += ["1 while local analytics is kept in DuckDB"] if on and not clickhouse else []
    if not wrong:
        assert read("workers: 4", environ).workers == 4
        return
    with pytest.raises(ConfigErrors) as caught:
        read("workers: 4", environ)
    found = [(error.file, error.line, error.key, error.found, error.allowed) for error in caught.value.errors]
    assert found == [("flowforge.yml", 1, "workers", "4", allowed) for allowed in wrong]


def test_a_database_that_cannot_be_read_is_not_called_sqlite(refused: Refuse) -> None:
    assert [line.split(": ")[1] for line in refused("workers: 4\ndatabase: {url: 'mysql://x/y'}")] == ["database.url"]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("telemetry: {frontend: {local: {url: 'duckdb:///{home}/flowforge.db'}}}", f"{LOCAL_KEY}.url", "database.url"),
        ("database: {url: 'sqlite:///var/analytics.duckdb'}", "database.url", f"{LOCAL_KEY}.url"),
        ("database: {url: 'sqlite:///var/x/../collector.db'}", "database.url", "collector.database_url"),
        ("collector: {key_file: '{home}/flowforge.db'}", "collector.key_file", "database.url"),
        ("collector: {key_file: link/flowforge.db}", "collector.key_file", "database.url"),
    ],
)
def test_no_two_settings_name_one_file(refused: Refuse, tmp_path: Path, text: str, line: str, said: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "var")
    (error,) = refused(text)
    assert error.startswith(f"flowforge.yml:1: {line}: {said} names the same file; found ")
    assert error.endswith("; allowed: a file of its own")


def test_servers_may_share_what_files_may_not(read: Load) -> None:
    read(f"database: {{url: '{PG_URL}'}}\ncollector: {{database_url: '{PG_URL}'}}")


def test_home_is_no_file(read: Load, refused: Refuse, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    (tmp_path / "folder").mkdir()
    (said,) = refused("home: taken")
    assert said == (
        f'flowforge.yml:1: home: a folder is needed, and this is a file; found "{tmp_path}/taken"; '
        "allowed: a folder, or none yet"
    )
    (said,) = refused(None, {"FLOWFORGE_HOME": "taken/below"})
    assert said.startswith(f'FLOWFORGE_HOME: home: a folder is needed, and this is a file ("{tmp_path}/taken" is one);')
    for good in ("folder", "folder/new", "new/newer"):
        assert read(f"home: {good}").home == tmp_path / good


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0"])
def test_believing_everybody_is_warned_of(read: Load, network: str) -> None:
    (warning,) = read(f"trusted_proxies: ['{network}']").warnings
    assert warning == (
        f"flowforge.yml:1: trusted_proxies: {network} believes everybody: any client can claim any address"
    )


@pytest.mark.parametrize("name", ["DO_NOT_TRACK", "FLOWFORGE_TELEMETRY_DISABLED"])
@pytest.mark.parametrize("text", ["1", "true", "yes", "on", "garbage", " 2 "])
def test_the_environment_disables_sending(read: Load, name: str, text: str) -> None:
    settings = read("telemetry: {enabled: true}", {name: text, "FLOWFORGE_TELEMETRY__ENABLED": "true"})
    assert settings.telemetry.enabled is False
    assert settings.sending_disabled_by == Origin("environment", name)


@pytest.mark.parametrize("name", ["DO_NOT_TRACK", "FLOWFORGE_TELEMETRY_DISABLED"])
@pytest.mark.parametrize("text", ["", " ", "0", "false", "FALSE", "no", "No "])
def test_the_environment_does_not_disable_sending(read: Load, name: str, text: str) -> None:
    settings = read(None, {name: text})
    assert (settings.telemetry.enabled, settings.sending_disabled_by) == (True, None)


@pytest.mark.parametrize("text", ["true", "yes", "1", " ON "])
@pytest.mark.parametrize("written", ["false", "no", "off"])
def test_false_in_the_file_is_final(read: Load, tmp_path: Path, written: str, text: str) -> None:
    (tmp_path / "secret").write_text(text)
    for environ in ({ENABLED: text}, {f"{ENABLED}_FILE": "secret"}):
        (name,) = environ
        settings = read(f"telemetry: {{enabled: {written}}}", environ)
        assert settings.telemetry.enabled is False
        assert settings.sending_disabled_by == Origin("file", "flowforge.yml:1")
        assert settings.warnings == (
            f"{name}: telemetry.enabled: flowforge.yml:1 says false, which is final: true here changes nothing",
        )


def test_above_true_in_the_file_the_environment_decides(read: Load, refused: Refuse) -> None:
    settings = read("telemetry: {enabled: true}", {ENABLED: "false"})
    assert settings.sending_disabled_by == Origin("environment", ENABLED)
    assert read("telemetry: {enabled: false}", {ENABLED: "no"}).warnings == ()
    assert read(None, {ENABLED: "true"}).sending_disabled_by is None
    (said,) = refused("telemetry: {enabled: false}", {ENABLED: "perhaps"})
    assert said.startswith(f"{ENABLED}: telemetry.enabled: ")


def test_the_file_disables_sending(read: Load) -> None:
    assert read("telemetry:\n  enabled: false").sending_disabled_by == Origin("file", "flowforge.yml:2")


@pytest.mark.parametrize(("text", "on"), [("1", True), ("0", False), ("", False)])
def test_the_switch_for_browser_tests(read: Load, text: str, on: bool) -> None:
    assert read(None, {"FLOWFORGE_TEST_BROWSER": text}).test_browser is on


@pytest.mark.parametrize(("text", "after"), [("0.5", 0.5), ("2", 2.0), ("", None), ("soon", None), ("-1", None)])
def test_the_first_ping_of_a_test(read: Load, text: str, after: float | None) -> None:
    assert read(None, {"FLOWFORGE_TEST_PING_AFTER_S": text}).test_ping_after_s == after


PING = "https://ping.example.com/x"


@pytest.mark.parametrize(
    ("environ", "url", "proxy"),
    [
        ({}, PING, None),
        ({"HTTPS_PROXY": "proxy:3128"}, PING, "http://proxy:3128"),
        ({"https_proxy": "http://u:p@proxy"}, PING, "http://u:p@proxy"),
        ({"HTTPS_PROXY": "http://proxy"}, "http://127.0.0.1:3000/collector/ping", None),
        ({"HTTPS_PROXY": "http://proxy"}, "http://[::1]:3000", None),
        ({"HTTPS_PROXY": "http://proxy", "NO_PROXY": "a.com, .example.com"}, PING, None),
        ({"HTTPS_PROXY": "http://proxy", "no_proxy": "ping.example.com:443"}, PING, None),
        ({"HTTPS_PROXY": "http://proxy", "NO_PROXY": "*"}, PING, None),
        ({"HTTPS_PROXY": "http://proxy", "NO_PROXY": "ample.com,,ping.example.com:80"}, PING, "http://proxy"),
        ({"HTTPS_PROXY": "http://b", "FLOWFORGE_TELEMETRY__PROXY": "http://a", "NO_PROXY": "*"}, PING, "http://a"),
        ({"FLOWFORGE_TELEMETRY__PROXY": "http://a"}, "http://127.0.0.1:9", "http://a"),
    ],
)
def test_the_proxy_of_a_request(read: Load, environ: dict[str, str], url: str, proxy: str | None) -> None:
    assert read(None, environ).proxy_for(url) == proxy


def test_where_the_environments_proxy_came_from(read: Load, refused: Refuse) -> None:
    settings = read(None, {"HTTPS_PROXY": "http://proxy"})
    assert settings.origin("telemetry.proxy") == Origin("environment", "HTTPS_PROXY")
    (said,) = refused(None, {"HTTPS_PROXY": "socks5://u:s3cr3t@proxy"})
    assert said.startswith("HTTPS_PROXY: telemetry.proxy: the URL must begin with http:// or https://; found ")
    assert "s3cr3t" not in said


def test_where_the_file_is_looked_for(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    environ = {"FLOWFORGE_HOME": "home", "FLOWFORGE_CONFIG": "named.yml"}
    without = {"FLOWFORGE_HOME": "home", "FLOWFORGE_CONFIG": ""}
    assert find(None, without, cwd=tmp_path) is None
    assert find(None, {}, cwd=tmp_path) is None
    (home / "flowforge.yml").touch()
    assert find(None, without, cwd=tmp_path) == home / "flowforge.yml"
    (tmp_path / "flowforge.yml").touch()
    assert find(None, without, cwd=tmp_path) == tmp_path / "flowforge.yml"
    assert find(None, environ, cwd=tmp_path) == tmp_path / "named.yml"
    assert find("/etc/ff.yml", environ, cwd=tmp_path) == Path("/etc/ff.yml")
