"""Pure: who is at the other end, when proxies stand between."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse_address(text: str) -> Address | None:
    """An address as proxies write it: with or without port, brackets or zone; v4-mapped v6 becomes v4."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _trusted(address: Address, proxies: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in proxies)


def client_address(peer: str, forwarded_for: str, proxies: Sequence[Network]) -> str:
    """The client's address: the socket's peer or, where that is a trusted proxy, the rightmost hop that is none.

    A hop that is no address ends the walk: everything left of it was written by somebody we do not know.
    Returns ``unknown`` when the peer itself has no address (a Unix socket).
    """
    address = parse_address(peer)
    if address is None:
        return "unknown"
    for hop in reversed(forwarded_for.split(",") if forwarded_for else []):
        if not _trusted(address, proxies):
            break
        before = parse_address(hop)
        if before is None:
            break
        address = before
    return str(address)


def from_proxy(peer: str, proxies: Sequence[Network]) -> bool:
    """Whether the socket's peer may speak for somebody else."""
    address = parse_address(peer)
    return address is not None and _trusted(address, proxies)
