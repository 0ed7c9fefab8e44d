"""The types a setting can have: each reads text, says what it allows, and knows how much of a value may be shown."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from flowforge_ui.config.errors import shown
from flowforge_ui.config.urls import Refused, check_host, clickhouse_url, http_url, mask_password

STR = "tag:yaml.org,2002:str"
INT = "tag:yaml.org,2002:int"
BOOL = "tag:yaml.org,2002:bool"

TRUE = frozenset({"true", "yes", "on", "1"})
FALSE = frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True)
class Paths:
    """Where relative paths start, and what ``{home}`` stands for."""

    cwd: Path
    home: Path

    def fill(self, text: str) -> str:
        for name in re.findall(r"\{([^{}]*)\}", text):
            if name != "home":
                raise Refused(f"{{{shown(name, 30)}}} stands for nothing here; {{home}} is the only placeholder")
        return text.replace("{home}", self.home.as_posix())

    def absolute(self, text: str) -> Path:
        if any(not c.isprintable() or c in "?#%" for c in text):
            raise Refused("a path here must not hold ?, # or %, which mean something in a URL, nor what is unprintable")
        return Path(os.path.abspath(self.cwd / Path(text).expanduser()))  # noqa: PTH100 - resolve() follows links


def quoted(text: str) -> str:
    return f'"{shown(text)}"'


def hidden(_text: str) -> str:
    return "(not shown)"


def scheme_only(text: str) -> str:
    scheme, separator, _ = text.partition("://")
    return f"{shown(scheme, 30)}://(not shown)" if separator and re.fullmatch(r"[a-z+]+", scheme) else hidden(text)


def _no_credentials(text: str) -> str:
    """A wrong URL as it may be echoed: what stands before an @ or behind a ? may be secret."""
    return quoted(re.sub(r"\?.*", "?…", re.sub(r"//.*@", "//…@", text, flags=re.DOTALL), flags=re.DOTALL))


@dataclass(frozen=True)
class Kind:
    """``read`` turns text into the value or raises ``Refused``; ``tag`` is the YAML type the file must use."""

    name: str
    tag: str
    allowed: str
    read: Callable[[str, Paths], object]
    echo: Callable[[str], str] = quoted
    display: Callable[[str], str] = str
    many: bool = False


def boolean() -> Kind:
    def read(text: str, _paths: Paths) -> bool:
        if text.lower() in TRUE:
            return True
        if text.lower() in FALSE:
            return False
        raise Refused

    return Kind("boolean", BOOL, "true or false", read)


def integer(low: int, high: int) -> Kind:
    def read(text: str, _paths: Paths) -> int:
        # YAML 1.1 reads 010 as 8 and 30:00 as 1800: nobody who writes them here means that.
        if not re.fullmatch(r"-?(0|[1-9][0-9]{0,11})", text) or not low <= int(text) <= high:
            raise Refused
        return int(text)

    return Kind("integer", INT, f"a whole number from {low} to {high}", read)


def choice(*values: str) -> Kind:
    def read(text: str, _paths: Paths) -> str:
        if text not in values:
            raise Refused
        return text

    return Kind("one of", STR, ", ".join(values), read)


def listen_host() -> Kind:
    def read(text: str, _paths: Paths) -> str:
        return check_host(text.strip("[]"), underscore=True).strip("[]")

    return Kind("host", STR, "an address or a host name, without scheme and port", read)


def http(*, path: bool = True, userinfo: bool = False) -> Kind:
    def read(text: str, _paths: Paths) -> str:
        return http_url(text, path=path, userinfo=userinfo)

    shape = "http:// or https://, a host, a port where it differs"
    shape += ", a path where there is one" if path else ", no path"
    if userinfo:
        return Kind("URL", STR, f"{shape}; user:password@ may stand before the host", read, scheme_only, mask_password)
    return Kind("URL", STR, f"{shape}; no user or password, no query", read, _no_credentials)


def plausible_host() -> Kind:
    """Where Plausible is. Its older form names the script there; any other path would be left out without a word."""

    def read(text: str, _paths: Paths) -> str:
        url = http_url(text)
        if (place := urlsplit(url).path) and not re.fullmatch(r"(/js)?/[\w.-]+\.js", place):
            raise Refused("a path has no meaning here; Plausible has to be at the root of its host")
        return url

    return Kind("URL", STR, "http:// or https://, a host, a port where it differs, no path", read, _no_credentials)


def _file_url(scheme: str, rest: str, paths: Paths) -> str:
    name = paths.fill(rest)
    if not name or name.endswith("/") or name.startswith(":"):
        raise Refused("a file is needed; memory alone would forget everything")
    return f"{scheme}:///{paths.absolute(name).as_posix()}"


def database_url() -> Kind:
    def read(text: str, paths: Paths) -> str:
        if text.startswith("sqlite:///"):
            return _file_url("sqlite", text.removeprefix("sqlite:///"), paths)
        match = re.fullmatch(r"(?:postgres|postgresql|postgresql\+psycopg)://([^\s]+)", text)
        if match is None or not match[1].isprintable() or not re.search(r"[^/@]/[^/@?]+(\?[^@]*)?$", match[1]):
            raise Refused
        return f"postgresql+psycopg://{match[1]}"

    allowed = "sqlite:///FILE or postgresql+psycopg://user:password@host:port/database; {home} is filled in"
    return Kind("database URL", STR, allowed, read, scheme_only, mask_password)


def analytics_url() -> Kind:
    def read(text: str, paths: Paths) -> str:
        if text.startswith("duckdb:///"):
            return _file_url("duckdb", text.removeprefix("duckdb:///"), paths)
        return clickhouse_url(text)

    allowed = "duckdb:///FILE or clickhouse://user:password@host:port/database; {home} is filled in"
    return Kind("store URL", STR, allowed, read, scheme_only, mask_password)


def path() -> Kind:
    def read(text: str, paths: Paths) -> Path:
        return paths.absolute(paths.fill(text))

    return Kind("path", STR, "a path without ?, # and %; relative ones start at the working directory", read)


def networks() -> Kind:
    def read(text: str, _paths: Paths) -> IPv4Network | IPv6Network:
        try:
            return ip_network(text)
        except ValueError:
            pass
        try:
            meant = ip_network(text, strict=False)
        except ValueError:
            raise Refused from None
        raise Refused(f"the address has bits below its mask; {meant} is the network it lies in")

    return Kind("list of networks", STR, "networks like 10.0.0.0/8 or fd00::/8, or single addresses", read, many=True)


def project_key() -> Kind:
    def read(text: str, _paths: Paths) -> str:
        if text.lower().startswith("phx_"):
            raise Refused(
                "this is a personal API key (phx_…), which must never reach a browser: put it under "
                "telemetry.frontend.posthog.personal_apikey, and the project API key (phc_…, PostHog > Settings > "
                "Project) here"
            )
        if not re.fullmatch(r"[!-~]{1,64}", text):
            raise Refused
        return text

    return Kind("PostHog project key", STR, "1 to 64 ASCII characters without spaces, as a rule phc_…", read, hidden)


def personal_key() -> Kind:
    def read(text: str, _paths: Paths) -> str:
        if text.lower().startswith("phc_"):
            raise Refused("this is a project API key (phc_…): put it under telemetry.frontend.posthog.apikey")
        if not re.fullmatch(r"[!-~]{8,200}", text):
            raise Refused
        return text

    return Kind("PostHog personal key", STR, "8 to 200 ASCII characters without spaces, as a rule phx_…", read, hidden)


def access_token() -> Kind:
    def read(text: str, _paths: Paths) -> str:
        if not re.fullmatch(r"[!-~]{16,200}", text):
            raise Refused
        return text

    return Kind("token", STR, "16 to 200 ASCII characters without spaces", read, hidden)


def site_domain() -> Kind:
    def read(text: str, _paths: Paths) -> str:
        if "://" in text:
            raise Refused("the name of the site in Plausible is needed, not its URL")
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,252}", text):
            raise Refused
        return text

    return Kind("site name", STR, "the site's name in Plausible, like example.com", read)
