"""What settings mean together: derived values, impossible combinations, and what is worth a warning."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import cast

from flowforge_ui.config.errors import ConfigError
from flowforge_ui.config.sources import Given
from flowforge_ui.config.table import KEYS, Origin
from flowforge_ui.config.urls import Refused, http_url, is_ipv6, posthog_host

POSTHOG = "telemetry.frontend.posthog"
LOCAL = "telemetry.frontend.local"
PLAUSIBLE = "telemetry.frontend.plausible"
NOT_SET = frozenset({"", "0", "false", "no"})


@dataclass(frozen=True)
class Facts:
    """Values and origins, completed by the rules; ``bad`` are the keys whose value could not be read."""

    values: dict[str, object]
    origins: dict[str, Origin]
    given: Mapping[str, Given]
    warnings: list[str]
    environ: Mapping[str, str]
    bad: frozenset[str]

    def warn(self, key: str, text: str) -> None:
        origin = self.origins[key]
        self.warnings.append(f"{key}: {text}" if origin.layer == "default" else f"{origin.where}: {key}: {text}")

    def error(self, key: str, why: str, found: str, allowed: str) -> ConfigError:
        entry = self.given[key]
        return ConfigError(entry.file, why, line=entry.line, key=key, found=found, allowed=allowed)


def switched_on(text: str | None) -> bool:
    """A variable that is anything but empty, 0, false, no."""
    return (text or "").strip().lower() not in NOT_SET


def seconds(text: str | None) -> float | None:
    """A variable that is a number of seconds; None for anything else."""
    plain = (text or "").strip()
    return float(plain) if plain.replace(".", "", 1).isdecimal() and plain.isascii() else None


def apply(facts: Facts) -> list[ConfigError]:
    """Completes the values in place, collects warnings, returns what cannot be."""
    _switch_off(facts)
    _base_url(facts)
    _map_posthog(facts)
    _warn(facts)
    return [*_egress_proxy(facts), *_workers(facts), *_unnameable(facts)]


def _switch_off(facts: Facts) -> None:
    for name in ("DO_NOT_TRACK", "FLOWFORGE_TELEMETRY_DISABLED"):
        if switched_on(facts.environ.get(name)):
            facts.values["telemetry.enabled"] = False
            facts.origins["telemetry.enabled"] = Origin("environment", name)
            return


def _base_url(facts: Facts) -> None:
    if facts.values["base_url"] is not None:
        return
    host = str(facts.values["host"])
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound
    facts.values["base_url"] = (
        f"http://[{host}]:{facts.values['port']}" if ":" in host else (f"http://{host}:{facts.values['port']}")
    )


def _map_posthog(facts: Facts) -> None:
    key = f"{POSTHOG}.apiurl"
    url = str(facts.values[key])
    mapped = posthog_host(url)
    if mapped != url:
        facts.values[key] = mapped
        facts.warn(key, f"{url} is where people sign in, not where events go; {mapped} is used, write that")


def _warn(facts: Facts) -> None:
    values = facts.values
    has_key = values[f"{POSTHOG}.apikey"] is not None
    if has_key and values[f"{POSTHOG}.capture_pageview"]:
        facts.warn(
            f"{POSTHOG}.capture_pageview",
            "true makes posthog-js send its own $pageview beside the platform's, so views are counted twice; "
            "set it to false",
        )
    if has_key and values[f"{LOCAL}.enabled"] and values[f"{POSTHOG}.transport"] == "direct":
        facts.warn(
            f"{POSTHOG}.transport",
            "with direct the browser's events go past this server: its own dashboards see only the server's events",
        )
    if values[f"{PLAUSIBLE}.domain"] is not None:
        facts.warn(
            f"{PLAUSIBLE}.domain",
            "Plausible is deprecated since 0.9 and will be removed; to move, set "
            f"{POSTHOG}.apikey to your PostHog project key (or {LOCAL}.enabled to true to keep the numbers on this "
            f"server) and {POSTHOG}.capture_pageview to false, then remove {PLAUSIBLE}",
        )
    for network in cast("tuple[IPv4Network | IPv6Network, ...]", values["trusted_proxies"]):
        if network.prefixlen == 0:
            facts.warn("trusted_proxies", f"{network} believes everybody: any client can claim any address")


def _egress_proxy(facts: Facts) -> Iterator[ConfigError]:
    """Without a proxy of our own the environment's holds, as everywhere."""
    key = "telemetry.proxy"
    if facts.values[key] is not None or key in facts.bad:
        return
    for name in ("HTTPS_PROXY", "https_proxy"):
        text = facts.environ.get(name, "").strip()
        if not text:
            continue
        kind = KEYS[key].kind
        try:
            facts.values[key] = http_url(text if "://" in text else f"http://{text}", path=False, userinfo=True)
        except Refused as refused:
            yield ConfigError(name, str(refused), key=key, found=kind.echo(text), allowed=kind.allowed)
        facts.origins[key] = Origin("environment", name)
        return


def _workers(facts: Facts) -> Iterator[ConfigError]:
    values = facts.values
    workers = cast("int", values["workers"])
    if workers == 1:
        return
    if not facts.bad & {"database.url"} and str(values["database.url"]).startswith("sqlite"):
        yield facts.error(
            "workers",
            "several processes need PostgreSQL: set database.url to postgresql+psycopg://…",
            str(workers),
            "1 while database.url is SQLite",
        )
    on_duckdb = values[f"{LOCAL}.enabled"] and str(values[f"{LOCAL}.url"]).startswith("duckdb")
    if on_duckdb and not facts.bad & {f"{LOCAL}.enabled", f"{LOCAL}.url"}:
        yield facts.error(
            "workers",
            f"a DuckDB file belongs to one process: set {LOCAL}.url to clickhouse://… or {LOCAL}.enabled to false",
            str(workers),
            "1 while local analytics is kept in DuckDB",
        )


def _unnameable(facts: Facts) -> Iterator[ConfigError]:
    """A page's content-security policy has no word for an IPv6 address: browsers would block every event."""
    why = "a page's security policy cannot name an IPv6 address, so that browsers would block every event"
    key = f"{POSTHOG}.apiurl"
    url = str(facts.values[key])
    if facts.values[f"{POSTHOG}.transport"] == "direct" and is_ipv6(url) and key not in facts.bad:
        allowed = "relay, or an apiurl with a host name or an IPv4 address"
        yield facts.error(f"{POSTHOG}.transport", why, f"direct to {url}", allowed)
    key = f"{PLAUSIBLE}.src"
    url = str(facts.values[key])
    if is_ipv6(url) and key not in facts.bad:
        yield facts.error(key, why, url, "a host name or an IPv4 address")
