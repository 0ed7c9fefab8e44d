"""How often one sender, and one network, may knock. In memory only, under a key that dies with the process."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from flowforge_ui.collector.keyring import canonical

_NOBODY = b"nobody"


@dataclass
class Buckets:
    """Token buckets by key: ``rate`` a second refill up to ``burst``; the least recently seen make room."""

    rate: float
    burst: float
    room: int = 50_000
    _held: OrderedDict[bytes, tuple[float, float]] = field(default_factory=OrderedDict, repr=False)

    def take(self, key: bytes, now: float) -> float:
        """0 when there was a token, else the seconds until there is one."""
        level, at = self._held.pop(key, (self.burst, now))
        level = min(self.burst, level + max(0.0, now - at) * self.rate)
        wait = 0.0 if level >= 1 else (1 - level) / self.rate
        self._held[key] = (level if wait else level - 1, now)
        while len(self._held) > self.room:
            self._held.popitem(last=False)
        return wait


class Limiter:
    """By sender and by network (IPv4 /24, IPv6 /48).

    Whoever has no address that names anybody (this machine, its link, what is no address) shares one with all such, as
    large as a network's: it may be the world behind a proxy that is not trusted.
    """

    def __init__(self, *, sender: Buckets | None = None, network: Buckets | None = None) -> None:
        self._secret = secrets.token_bytes(32)
        self._sender = sender or Buckets(rate=10, burst=600)
        self._network = network or Buckets(rate=100, burst=6_000)
        self._lock = threading.Lock()

    def wait(self, address: str | None, now: float) -> float:
        """Seconds to wait before the next ping of this sender may come; 0 lets it pass. ``now``: monotonic seconds."""
        packed = canonical(address)
        if packed is None:
            with self._lock:
                return self._network.take(_NOBODY, now)
        prefix = packed[:4] if packed[0] == 4 else packed[:7]
        with self._lock:
            return max(self._network.take(self._blind(prefix), now), self._sender.take(self._blind(packed), now))

    def _blind(self, what: bytes) -> bytes:
        return hmac.new(self._secret, what, hashlib.sha256).digest()[:12]
