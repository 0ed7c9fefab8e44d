"""Reading URLs strictly: what is accepted here goes into security policies, so nothing is guessed."""

import re
from ipaddress import IPv6Address
from urllib.parse import SplitResult, urlsplit


class Refused(ValueError):
    """A value that cannot be. The text says why and the cure, and never repeats a secret."""


# app.posthog.com and the two consoles answer people; events go to the ingestion hosts.
POSTHOG_INGESTION = {
    "app.posthog.com": "https://us.i.posthog.com",
    "us.posthog.com": "https://us.i.posthog.com",
    "eu.posthog.com": "https://eu.i.posthog.com",
}

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_LABEL_UNDERSCORE = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


def check_host(host: str, *, underscore: bool = False) -> str:
    """The host in lower case, international names in ASCII, IPv6 in brackets; ``Refused`` if it is none."""
    if "*" in host:
        raise Refused("a wildcard is no host; name the one that is meant")
    if ":" in host and "%" not in host:
        try:
            return f"[{IPv6Address(host)}]"
        except ValueError:
            raise Refused("this is no IPv6 address") from None
    try:
        name = host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise Refused("this is no host name") from None
    label = _LABEL_UNDERSCORE if underscore else _LABEL
    if len(name) > 253 or not all(label.fullmatch(part) for part in name.removesuffix(".").split(".")):
        raise Refused("this is no host name")
    return name


def _split(text: str) -> tuple[SplitResult, int | None]:
    if any(c.isspace() or not c.isprintable() or c in '\\"<>^`{|}' for c in text):
        raise Refused("it holds a character no URL holds")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise Refused("this is no URL") from None
    if port == 0:
        raise Refused("port 0 is no port")
    if "[" in parts.netloc and ":" not in (parts.hostname or ""):
        raise Refused("what stands in brackets is no IPv6 address")
    return parts, port


def http_url(text: str, *, path: bool = True, userinfo: bool = False) -> str:
    """The URL in its plain form, without a trailing slash."""
    parts, port = _split(text)
    if parts.scheme not in {"http", "https"}:
        raise Refused("the URL must begin with http:// or https://")
    if not parts.hostname:
        raise Refused("the host is missing")
    if "@" in parts.netloc and not userinfo:
        raise Refused("a user or password must not stand in this URL")
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise Refused("a query or fragment has no meaning here")
    if not path and parts.path.strip("/"):
        raise Refused("a path has no meaning here")
    if not parts.path.isascii():
        raise Refused("the path must be percent-encoded")
    before, at, _ = parts.netloc.rpartition("@")
    number = "" if port is None else f":{port}"
    return f"{parts.scheme}://{before}{at}{check_host(parts.hostname)}{number}{parts.path.rstrip('/')}"


def clickhouse_url(text: str) -> str:
    """``clickhouse://user:password@host:port/database`` (``clickhouses``: by TLS), checked and unchanged."""
    parts, _ = _split(text)
    if parts.scheme not in {"clickhouse", "clickhouses"}:
        raise Refused
    if not parts.hostname:
        raise Refused("the host is missing")
    check_host(parts.hostname, underscore=True)
    if not re.fullmatch(r"/[A-Za-z0-9_]{1,64}", parts.path):
        raise Refused("the database's name is missing behind the host")
    return text


def mask_password(text: str) -> str:
    """A good URL without its password, for ``config show``."""
    masked = re.sub(r"(://[^:/@]*):.*@", r"\1:****@", text)
    return re.sub(r"((?:password|sslpassword|passwd)=)[^&]*", r"\1****", masked)


def posthog_host(url: str) -> str:
    """The ingestion host that serves this PostHog, or the URL itself."""
    return POSTHOG_INGESTION.get(urlsplit(url).hostname or "", url)


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


def is_ipv6(url: str) -> bool:
    """Whether a URL's host is an IPv6 address itself, not a name of one."""
    return ":" in (urlsplit(url).hostname or "")


def named_in(no_proxy: str, url: str) -> bool:
    """Whether NO_PROXY (comma-separated hosts, domains, ``host:port``, or ``*``) names this URL's host."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    for entry in no_proxy.lower().replace(" ", "").split(","):
        name = entry.removeprefix("*").removeprefix(".")
        if entry == "*" or (
            name and any(spot == name or spot.endswith(f".{name}") for spot in (host, f"{host}:{port}"))
        ):
            return True
    return False
