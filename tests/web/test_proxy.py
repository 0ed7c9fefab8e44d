"""Whom a request comes from, with honest and lying proxies between."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from flowforge_ui.web.proxy import client_address, from_proxy

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # a stranger says whatever it likes
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),  # what the client itself wrote is left of it
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.2.3.4", "198.51.100.1"),
        ("10.0.0.1", "10.9.9.9", "10.9.9.9"),
        ("10.0.0.1", "nonsense, 10.2.3.4", "10.2.3.4"),
        ("10.0.0.1", "198.51.100.1, ", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:5555", "198.51.100.1"),
        ("10.0.0.1", '"[2001:db8::7]:443"', "2001:db8::7"),
        ("fd00::1", "2001:db8::7%eth0", "2001:db8::7"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("::ffff:203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("", "198.51.100.1", "unknown"),
        ("unix:", "198.51.100.1", "unknown"),
    ],
)
def test_the_client_is_the_rightmost_hop_that_is_no_trusted_proxy(peer: str, forwarded: str, client: str) -> None:
    assert client_address(peer, forwarded, PROXIES) == client


def test_without_trusted_proxies_nothing_forwarded_is_believed() -> None:
    assert client_address("127.0.0.1", "198.51.100.1", ()) == "127.0.0.1"


def test_who_may_speak_for_somebody_else() -> None:
    assert [from_proxy(peer, PROXIES) for peer in ("10.1.1.1", "fd00::2", "127.0.0.1", "")] == [
        True,
        True,
        False,
        False,
    ]
