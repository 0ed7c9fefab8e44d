"""What is wrong is said in one line each: file, line, key, found, allowed, nearest key; never a secret."""

from collections.abc import Callable
from pathlib import Path

import pytest

from flowforge_ui.config import ConfigErrors, Settings, load
from flowforge_ui.config.errors import shown

Load = Callable[..., Settings]
Refuse = Callable[..., list[str]]

POSTHOG = "telemetry.frontend.posthog"


def test_an_unknown_key_names_its_neighbours(refused: Refuse) -> None:
    (said,) = refused("telemetry:\n  frontend:\n    respect:\n      gcp: true\n")
    assert said == (
        "flowforge.yml:4: telemetry.frontend.respect.gcp: unknown key; known below telemetry.frontend.respect: gpc, "
        "dnt; nearest known key: telemetry.frontend.respect.gpc"
    )


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("prot: 1", "port"),
        ("apikey: phc_x", f"{POSTHOG}.apikey"),
        ("telemetry: {posthog: {apikey: phc_x}}", POSTHOG),
        ("posthog: {apikey: phc_x}", POSTHOG),
        ("database_url: x", "database.url"),
        ("telemetry: {frontend: {posthog: {api_host: x}}}", f"{POSTHOG}.apiurl"),
        ("telemetry: {frontend: {posthog: {capturePageview: x}}}", f"{POSTHOG}.capture_pageview"),
        ("zzzzzz: 1", None),
    ],
)
def test_the_nearest_key(read: Load, text: str, meant: str | None) -> None:
    with pytest.raises(ConfigErrors) as caught:
        read(text)
    assert [error.nearest for error in caught.value.errors] == [meant]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("FLOWFORGE_TELEMETRY_ENABLED", "FLOWFORGE_TELEMETRY__ENABLED"),
        ("FLOWFORGE_TELEMETRY__ENABLE", "FLOWFORGE_TELEMETRY__ENABLED"),
        ("FLOWFORGE_DATABASE_URL", "FLOWFORGE_DATABASE__URL"),
        ("FLOWFORGE_PROT", "FLOWFORGE_PORT"),
        ("FLOWFORGE_CONFG", "FLOWFORGE_CONFIG"),
        ("FLOWFORGE_QQQQQQ", None),
    ],
)
def test_an_unknown_variable(read: Load, name: str, meant: str | None) -> None:
    with pytest.raises(ConfigErrors) as caught:
        read(None, {name: "s3cr3t"})
    (error,) = caught.value.errors
    assert (error.file, error.nearest) == (name, meant)
    assert "s3cr3t" not in str(error)


def test_variables_that_are_no_settings_are_left_alone(read: Load) -> None:
    environ = {
        "FLOWFORGE_CONFIG": "elsewhere.yml",
        "FLOWFORGE_CHROMIUM": "/usr/bin/chromium",
        "FLOWFORGE_SERVICE_HOST": "10.0.0.1",
        "FLOWFORGE_SERVICE_PORT_HTTP": "3000",
        "FLOWFORGE_PORT_3000_TCP_ADDR": "10.0.0.1",
        "FLOWFORGE_PORT": "tcp://10.0.0.1:3000",
        "FLOWFORGEX": "1",
        "PATH": "/bin",
    }
    assert read(None, environ).port == 3000


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("port: three", 'port: found text ("three"); allowed: a whole number from 1 to 65535'),
        (
            'port: "3000"',
            'port: quotes make it text; leave them out; found text ("3000"); allowed: a whole number from 1 to 65535',
        ),
        ("port: 3000.0", 'port: found a number with a fraction ("3000.0"); allowed: a whole number from 1 to 65535'),
        ("port: 0x1F", 'port: found "0x1F"; allowed: a whole number from 1 to 65535'),
        ("port: 010", 'port: found "010"; allowed: a whole number from 1 to 65535'),
        ("port: 30:00", 'port: found "30:00"; allowed: a whole number from 1 to 65535'),
        ("port: 65536", 'port: found "65536"; allowed: a whole number from 1 to 65535'),
        ("port: -1", 'port: found "-1"; allowed: a whole number from 1 to 65535'),
        ("port: true", 'port: found true or false ("true"); allowed: a whole number from 1 to 65535'),
        ("port: [1]", "port: found a list; allowed: a whole number from 1 to 65535"),
        ("port: {a: 1}", "port: found a mapping; allowed: a whole number from 1 to 65535"),
        ("port: !!python/object:os.system x", 'port: found a value of an unknown type ("x"); allowed: a whole number'),
        ("collector: {public: 1}", 'collector.public: found a number ("1"); allowed: true or false'),
        ("driver: {type: s3}", 'driver.type: found "s3"; allowed: localfs'),
        ("driver: localfs", "driver: found text; allowed: keys below it (type)"),
        ("host: 1.5", "host: text is needed; put it in quotes; found a number with a fraction"),
        ("host: http://x", 'host: this is no IPv6 address; found "http://x"'),
        ("host: '*'", 'host: a wildcard is no host; name the one that is meant; found "*"'),
        ("trusted_proxies: 10.0.0.0/8", "trusted_proxies: a list is needed, an item a line or in [brackets]; found"),
        ("trusted_proxies: [10.1.2.3/8]", "trusted_proxies: the address has bits below its mask; 10.0.0.0/8 is the"),
        ("trusted_proxies: [proxy]", 'trusted_proxies: found "proxy"; allowed: networks like 10.0.0.0/8'),
        ("trusted_proxies: [[]]", "trusted_proxies: a list is needed, an item a line or in [brackets]; found a list t"),
        ("home: 'a\\tb?'", "home: a path here must not hold ?, # or %, which mean something in a URL, nor what is "),
        ("collector: {key_file: '{hme}/k'}", "collector.key_file: {hme} stands for nothing here; {home} is the only"),
    ],
)
def test_a_wrong_value(refused: Refuse, text: str, line: str) -> None:
    (said,) = refused(text)
    assert said.startswith(f"flowforge.yml:1: {line}")


@pytest.mark.parametrize(
    "url",
    [
        "ping.example.com",
        "ftp://ping.example.com",
        "https://",
        "https:///ping",
        "https://*.example.com",
        "https://user:s3cr3t@ping.example.com",
        "https://user@ping.example.com",
        "https://ping.example.com:0",
        "https://ping.example.com:99999",
        "https://ping.example.com?token=x",
        "https://ping.example.com/#x",
        "https://ping .example.com",
        "https://ping.example.com/a b",
        "https://ping.example.com/ä",
        "https://[::1",
        "https://[v1.x]/",
        "https://[fe80::1%25eth0]/",
        "https://-ping.example.com",
        "https://pi;ng.example.com",
        "https://ping.example.com'",
        "javascript:alert(1)",
        "https://a..b",
        "https://" + "a" * 64 + ".com",
        "https://ping.example.com\\@evil.com",
        "'none'",
    ],
)
def test_a_url_that_cannot_be(read: Load, url: str) -> None:
    for key in ("telemetry.url", f"{POSTHOG}.apiurl", "telemetry.frontend.plausible.src", "base_url"):
        name = "FLOWFORGE_" + key.upper().replace(".", "__")
        with pytest.raises(ConfigErrors) as caught:
            read(None, {name: url})
        (error,) = caught.value.errors
        assert (error.file, error.key) == (name, key)
        assert "s3cr3t" not in str(error)
        assert "token=x" not in str(error)


@pytest.mark.parametrize("place", ["/plausible", "/js", "/a/js/script.js", "/script.js/x"])
def test_plausible_is_at_the_root_of_its_host(refused: Refuse, place: str) -> None:
    (said,) = refused(f"telemetry:\n  frontend:\n    plausible:\n      src: https://stats.example{place}")
    assert said.startswith("flowforge.yml:4: telemetry.frontend.plausible.src: a path has no meaning here; Plausible ")


def test_urls_in_their_plain_form(read: Load) -> None:
    def plain(url: str) -> str:
        return read(None, {"FLOWFORGE_TELEMETRY__URL": url}).telemetry.url

    assert plain("HTTPS://Ping.Example.COM:8443/a/b/") == "https://ping.example.com:8443/a/b"
    assert plain("https://münchen.example/") == "https://xn--mnchen-3ya.example"
    assert plain("http://[0:0::1]:3000/x") == "http://[::1]:3000/x"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:s3cr3t@db/ff",
        "postgresql://u:s3cr3t",
        "postgresql://u:s3cr3t@db",
        "postgresql://u:s3cr3t@db/",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///{home}/",
        "sqlite:///a?mode=memory",
        "s3cr3t",
    ],
)
def test_a_database_that_cannot_be(refused: Refuse, url: str) -> None:
    (said,) = refused(None, {"FLOWFORGE_DATABASE__URL": url})
    assert said.startswith("FLOWFORGE_DATABASE__URL: database.url: ")
    assert "s3cr3t" not in said


@pytest.mark.parametrize(
    "url", ["duckdb://", "clickhouse://h", "clickhouse:///db", "clickhouse://h/a b", "sqlite:///x"]
)
def test_a_store_that_cannot_be(refused: Refuse, url: str) -> None:
    (said,) = refused(None, {"FLOWFORGE_TELEMETRY__FRONTEND__LOCAL__URL": url})
    assert said.startswith("FLOWFORGE_TELEMETRY__FRONTEND__LOCAL__URL: telemetry.frontend.local.url: ")


@pytest.mark.parametrize(
    ("key", "value", "cure"),
    [
        ("apikey", "phx_s3cr3t", "put it under telemetry.frontend.posthog.personal_apikey"),
        ("apikey", " PHX_s3cr3t", "put it under telemetry.frontend.posthog.personal_apikey"),
        ("apikey", "phc_" + "s3cr3t" * 11, "1 to 64 ASCII characters"),
        ("apikey", "phc_s3cr3t ä", "1 to 64 ASCII characters"),
        ("personal_apikey", "phc_s3cr3t", "put it under telemetry.frontend.posthog.apikey"),
    ],
)
def test_a_wrong_posthog_key_is_cured_and_never_echoed(refused: Refuse, key: str, value: str, cure: str) -> None:
    for said in (
        refused(f"telemetry: {{frontend: {{posthog: {{{key}: '{value}'}}}}}}"),
        refused(None, {f"FLOWFORGE_TELEMETRY__FRONTEND__POSTHOG__{key.upper()}": value}),
    ):
        assert len(said) == 1
        assert cure in said[0]
        assert "s3cr3t" not in said[0].lower()
        assert "found (not shown)" in said[0]


def test_a_secret_of_the_wrong_type_is_not_echoed(refused: Refuse) -> None:
    said = refused("telemetry: {frontend: {posthog: {apikey: 73313}}}\ncollector: {access_token: [73313]}")
    assert [line.split(": ")[1] for line in said] == [f"{POSTHOG}.apikey", "collector.access_token"]
    assert "73313" not in str(said)


def test_a_secret_in_the_wrong_place_is_not_echoed(refused: Refuse) -> None:
    assert "phx_s3cr3t" not in str(refused("telemetry:\n  frontend: phx_s3cr3t\napkey: phx_s3cr3t"))
    assert "phx_s3cr3t" not in str(refused("phx_s3cr3t"))
    assert "phx_s3cr3t" not in str(refused("telemetry: [phx_s3cr3t: }"))


def test_a_duplicate_key(refused: Refuse) -> None:
    assert refused("port: 1\nhost: a\nport: 1\ntelemetry:\n  enabled: true\n  enabled: false\n") == [
        "flowforge.yml:3: port: this key stands twice, first on line 1",
        "flowforge.yml:6: telemetry.enabled: this key stands twice, first on line 5",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port: 1\nhost: [a\nworkers: 1\n", "flowforge.yml:3: not valid YAML: expected ',' or ']', but got ':'"),
        ("port: 1\n\thost: a\n", "flowforge.yml:2: not valid YAML: found character '\\t' that cannot start any token"),
        ("a: 'b", "flowforge.yml:1: not valid YAML: found unexpected end of stream"),
        ("a: *b", "flowforge.yml:1: not valid YAML: found undefined alias"),
        ("a: 1\n---\na: 1", "flowforge.yml:2: not valid YAML: but found another document"),
        ("a: 1\nb: \0", "flowforge.yml:2: not valid YAML: it holds a character YAML does not allow"),
        ('a: "\\U99999999"', "flowforge.yml: not valid YAML: it holds an escape or a directive that means nothing"),
        ("[" * 5000, "flowforge.yml: not valid YAML: nested too deeply"),
        (
            "- a\n- b",
            "flowforge.yml:1: the file must hold keys and values (a mapping), like `port: 3000`; found a list",
        ),
        ("# words\n\njust words", "flowforge.yml:3: the file must hold keys and values"),
        ("? [a]\n: 1", "flowforge.yml:1: a key must be a word; found a list"),
        ("a" * 300_000, "flowforge.yml: the file is larger than 256 KiB"),
    ],
)
def test_a_file_that_cannot_be_understood(refused: Refuse, text: str, said: str) -> None:
    (line,) = refused(text)
    assert line.startswith(said)


def test_a_file_that_is_not_utf_8(refused: Refuse) -> None:
    assert refused(b"port: 1\nhost: \xfc\n") == ["flowforge.yml:2: the file is not UTF-8 (byte 0xfc)"]
    assert refused("port: 1".encode("utf-16")) == ["flowforge.yml:1: the file is not UTF-8 (byte 0xff)"]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "none.yml", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(ConfigErrors) as caught:
            load(path, {}, cwd=tmp_path.parent)
        (error,) = caught.value.errors
        assert str(error) == f"{path.relative_to(tmp_path.parent)}: the file cannot be read: {why}"


def test_a_secret_file_that_cannot_be_used(refused: Refuse, tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"\xfc")
    (tmp_path / "empty").write_bytes(b"\n")
    name = "FLOWFORGE_COLLECTOR__ACCESS_TOKEN_FILE"
    start = f"{name}: collector.access_token: "
    assert refused(None, {name: "gone"}) == [f"{start}gone: the file cannot be read: No such file or directory"]
    assert refused(None, {name: "latin"}) == [f"{start}latin: the file is not UTF-8 (byte 0xfc)"]
    assert refused(None, {name: "empty"}) == [f"{start}empty: the file is empty"]
    assert refused(None, {name: "empty", name.removesuffix("_FILE"): "x" * 16}) == [
        f"{start}{name.removesuffix('_FILE')} and {name} are both set; remove one"
    ]


def test_everything_wrong_is_said_file_first_in_the_order_of_its_lines(refused: Refuse) -> None:
    said = refused(
        "workers: many\nhst: a\nport: 0\ntelemetry:\n  enabled: perhaps\n",
        {"FLOWFORGE_NONSENSE": "1", "FLOWFORGE_COLLECTOR__PORT": "x"},
    )
    assert [line.partition(": ")[0] for line in said] == [
        "flowforge.yml:1",
        "flowforge.yml:2",
        "flowforge.yml:3",
        "flowforge.yml:5",
        "FLOWFORGE_NONSENSE",
        "FLOWFORGE_COLLECTOR__PORT",
    ]


def test_the_facts_of_an_error(read: Load) -> None:
    with pytest.raises(ConfigErrors) as caught:
        read("driver:\n  type: s3")
    (error,) = caught.value.errors
    assert (error.file, error.line, error.key, error.found, error.allowed, error.nearest) == (
        "flowforge.yml",
        2,
        "driver.type",
        '"s3"',
        "localfs",
        None,
    )


def test_text_from_outside_stays_in_its_line() -> None:
    assert shown("a\nb\x1b[31m\u202e\ud800") == "a\\nb\\x1b[31m\\u202e\\ud800"
    assert shown("x" * 100) == "x" * 79 + "…"


def test_hostile_names_stay_in_their_line(refused: Refuse) -> None:
    said = refused('"a\\nb\\e[31m\\u2028": 1\nhost: "x\\ny"', {"FLOWFORGE_\nEVIL": "1"})
    assert len(said) == 3
    assert not any(character in line for line in said for character in "\n\x1b\u2028")
