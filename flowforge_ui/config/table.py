"""The one table of settings: type, default, secrecy and meaning of every key, as fields of the tree that holds them.

Reading, checking, ``flowforge config show`` and ``docs/settings.md`` all go by ``KEYS``.
"""

# ruff: noqa: RUF009 - setting() and section() return what dataclasses.field() made, no shared default

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Literal

from flowforge_ui.config import kinds
from flowforge_ui.config.kinds import Kind
from flowforge_ui.config.urls import is_loopback, mask_password, named_in

Layer = Literal["default", "file", "environment", "secret_file"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from; ``where`` is ``flowforge.yml:12``, a variable's name, or ``built in``."""

    layer: Layer
    where: str


@dataclass(frozen=True, slots=True)
class Spec:
    """What the table says about one key, beside its name. A default that is text is read like text from outside."""

    kind: Kind
    default: object
    doc: str
    since: str
    secret: bool
    unset: str  # what stands in the documentation where the default is None
    moved_from: str | None
    deprecated: str | None  # the version since which


def setting(
    kind: Kind,
    default: object,
    doc: str,
    *,
    since: str = "0.9",
    secret: bool = False,
    unset: str = "null",
    moved_from: str | None = None,
    deprecated: str | None = None,
) -> Any:
    spec = Spec(kind, default, doc, since, secret, unset, moved_from, deprecated)
    # What may hold a password is left out of repr, so that no traceback or log line shows it.
    return field(repr=not (secret or kind.display is mask_password), metadata={"setting": spec})


def section(cls: type) -> Any:
    return field(metadata={"section": cls})


@dataclass(frozen=True, kw_only=True)
class Database:
    url: str = setting(
        kinds.database_url(),
        "sqlite:///{home}/flowforge.db",
        "The platform's state. PostgreSQL (`postgresql+psycopg://…`) when one machine is too small.",
    )


@dataclass(frozen=True, kw_only=True)
class Driver:
    type: str = setting(
        kinds.choice("localfs"), "localfs", "The backend driver, reported in the ping as `platform.config.driver`."
    )


@dataclass(frozen=True, kw_only=True)
class PostHog:
    apikey: str | None = setting(
        kinds.project_key(), None, "Your own PostHog project key (`phc_…`); null: PostHog is off.", secret=True
    )
    apiurl: str = setting(
        kinds.http(),
        "https://us.i.posthog.com",
        "The PostHog host. `app.posthog.com`, `us.posthog.com` and `eu.posthog.com` are mapped to their ingestion "
        "hosts, with a warning.",
    )
    capture_pageview: bool = setting(
        kinds.boolean(),
        True,
        "Handed to posthog-js as it is. false is recommended: the platform's own `$pageview` and `$pageleave` "
        "replace PostHog's; with true each view is counted twice, which log and console say.",
    )
    transport: Literal["relay", "direct"] = setting(
        kinds.choice("relay", "direct"),
        "relay",
        "`relay`: the browser talks to this server only, which forwards; `direct`: the browser talks to `apiurl`.",
    )
    pageleave: Literal["route", "exit"] = setting(
        kinds.choice("route", "exit"),
        "route",
        "`route`: a `$pageleave` for each view left; `exit`: only when the page is left.",
    )
    identity: Literal["anonymous", "pseudonymous", "username"] = setting(
        kinds.choice("anonymous", "pseudonymous", "username"),
        "pseudonymous",
        "`anonymous`: never identify; `pseudonymous`: a keyed hash; `username`: the name itself.",
    )
    personal_apikey: str | None = setting(
        kinds.personal_key(),
        None,
        "A personal API key (`phx_…`), only for `flowforge posthog provision` and delivery proofs; "
        "never sent to a browser.",
        secret=True,
    )


@dataclass(frozen=True, kw_only=True)
class Local:
    enabled: bool = setting(
        kinds.boolean(), False, "Keep events in this installation's own analytics store and show the dashboards."
    )
    url: str = setting(
        kinds.analytics_url(),
        "duckdb:///{home}/analytics.duckdb",
        "The store: a DuckDB file, or `clickhouse://user:password@host:port/database` (`clickhouses://` for TLS).",
    )
    retention_days: int = setting(kinds.integer(1, 36500), 395, "Days after which events are pruned from the store.")


@dataclass(frozen=True, kw_only=True)
class Respect:
    gpc: bool = setting(kinds.boolean(), True, "Honour Global Privacy Control: nothing is recorded about that browser.")
    dnt: bool = setting(kinds.boolean(), True, "Honour Do Not Track, in the same way.")


@dataclass(frozen=True, kw_only=True)
class Plausible:
    domain: str | None = setting(
        kinds.site_domain(),
        None,
        "The site's name in Plausible; null: Plausible is off. Still works, warns, and shows how to move to PostHog.",
        moved_from="telemetry.plausible.domain",
        deprecated="0.9",
    )
    src: str = setting(
        kinds.plausible_host(),
        "https://plausible.io",
        "The Plausible host, for self-hosted ones. The older form, with the path of its script, means the host, too.",
        deprecated="0.9",
    )


@dataclass(frozen=True, kw_only=True)
class Frontend:
    posthog: PostHog = section(PostHog)
    local: Local = section(Local)
    respect: Respect = section(Respect)
    plausible: Plausible = section(Plausible)


@dataclass(frozen=True, kw_only=True)
class Telemetry:
    enabled: bool = setting(
        kinds.boolean(),
        True,
        "false here is final: nothing leaves the platform (no ping, no PostHog, no Plausible), whatever the Admin "
        "Settings say, and in the file also whatever `FLOWFORGE_TELEMETRY__ENABLED` says. The variables "
        "`DO_NOT_TRACK` and `FLOWFORGE_TELEMETRY_DISABLED` act as false.",
    )
    url: str = setting(kinds.http(), "https://ping.flowforge.com", "Where the core ping is posted.")
    proxy: str | None = setting(
        kinds.http(path=False, userinfo=True),
        None,
        "The egress proxy for every outbound telemetry request. Unset, `HTTPS_PROXY` and `NO_PROXY` are honoured.",
        unset="`HTTPS_PROXY`, else null",
    )
    frontend: Frontend = section(Frontend)


@dataclass(frozen=True, kw_only=True)
class Collector:
    mount: bool = setting(
        kinds.boolean(), False, "Serve the ping collector below `/collector` of this server, for evaluation."
    )
    host: str = setting(kinds.listen_host(), "127.0.0.1", "Where `flowforge collector run` listens.")
    port: int = setting(kinds.integer(1, 65535), 3001, "The port `flowforge collector run` listens on.")
    database_url: str = setting(
        kinds.database_url(), "sqlite:///{home}/collector.db", "The collector's own database: SQLite or PostgreSQL."
    )
    key_file: Path = setting(
        kinds.path(), "{home}/collector.key", "The key of the sender tokens; made on first use, readable by its owner."
    )
    access_token: str | None = setting(
        kinds.access_token(),
        None,
        "Opens the fleet dashboards; unset, one is generated on first use and kept.",
        secret=True,
        unset="generated",
    )
    public: bool = setting(
        kinds.boolean(), False, "Offer a public page of the fleet, in which counts under 10 are hidden."
    )
    retention_days: int = setting(kinds.integer(1, 36500), 90, "Days after which single pings are pruned.")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the rest of the program receives. Made by ``config.load`` only; URLs and paths are complete."""

    host: str = setting(kinds.listen_host(), "127.0.0.1", "The address the server listens on.")
    port: int = setting(kinds.integer(1, 65535), 3000, "The port the server listens on.")
    base_url: str = setting(
        kinds.http(path=False), None, "How users reach the server.", unset="derived from `host` and `port`"
    )
    home: Path = setting(
        kinds.path(), "./var", "Everything the platform writes lives below it. The variable is `FLOWFORGE_HOME`."
    )
    database: Database = section(Database)
    workers: int = setting(
        kinds.integer(1, 256),
        1,
        "Server processes. More than 1 needs PostgreSQL, and ClickHouse if local analytics is on.",
    )
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = setting(
        kinds.networks(),
        (),
        "Proxies whose `X-Forwarded-*` headers are believed; the rightmost hop not in it is the client.",
    )
    driver: Driver = section(Driver)
    telemetry: Telemetry = section(Telemetry)
    collector: Collector = section(Collector)

    # Beside the table: where the values came from, and what is worth saying about them.
    file: Path | None
    origins: Mapping[str, Origin] = field(repr=False)
    warnings: tuple[str, ...]
    test_browser: bool
    test_ping_after_s: float | None
    no_proxy: str

    def origin(self, key: str) -> Origin:
        """The layer this key's value came from; ``KeyError`` for a key that is not in the table."""
        return self.origins[key]

    @property
    def sending_disabled_by(self) -> Origin | None:
        """What makes "nothing leaves the platform" true, or None while sending is a matter of the other layers."""
        return None if self.telemetry.enabled else self.origin("telemetry.enabled")

    def proxy_for(self, url: str) -> str | None:
        """The proxy an outbound telemetry request to this URL goes through.

        ``telemetry.proxy`` holds for every host; ``HTTPS_PROXY`` not for loopback and what ``NO_PROXY`` names.
        """
        if self.telemetry.proxy is None or self.origin("telemetry.proxy").where.upper() != "HTTPS_PROXY":
            return self.telemetry.proxy
        return None if is_loopback(url) or named_in(self.no_proxy, url) else self.telemetry.proxy


def _walk(cls: type, prefix: str) -> Iterator[tuple[str, Spec]]:
    for part in fields(cls):
        if "setting" in part.metadata:
            yield prefix + part.name, part.metadata["setting"]
        elif "section" in part.metadata:
            yield from _walk(part.metadata["section"], f"{prefix}{part.name}.")


KEYS: Mapping[str, Spec] = dict(_walk(Settings, ""))
MOVED: Mapping[str, str] = {spec.moved_from: key for key, spec in KEYS.items() if spec.moved_from}
SECTIONS: frozenset[str] = frozenset(
    ".".join(key.split(".")[:depth]) for key in (*KEYS, *MOVED) for depth in range(1, key.count(".") + 1)
)

# Variables that begin like a setting and are none: name -> meaning.
VARIABLES: Mapping[str, str] = {
    "FLOWFORGE_CONFIG": "The settings file, where the option `--config` is not given.",
    "FLOWFORGE_TELEMETRY_DISABLED": "Anything but empty, 0, false, no acts as `telemetry.enabled: false`.",
    "FLOWFORGE_TEST_BROWSER": "For tests only: 1 lifts posthog-js's filter that drops events of automated browsers.",
    "FLOWFORGE_TEST_PING_AFTER_S": "For tests only: seconds from start-up to the first core ping, instead of 30.",
    "FLOWFORGE_CHROMIUM": "For tests only: the Chromium the browser tests use.",
}


def build(values: Mapping[str, object], **beside: object) -> Settings:
    """The tree from values by dotted key; the table and the tree are the same, so nothing can be left out."""

    def make(cls: type, prefix: str, **rest: object) -> Any:
        made = dict(rest)
        for part in fields(cls):
            if "setting" in part.metadata:
                made[part.name] = values[prefix + part.name]
            elif "section" in part.metadata:
                made[part.name] = make(part.metadata["section"], f"{prefix}{part.name}.")
        return cls(**made)

    settings: Settings = make(Settings, "", **beside)
    return settings
