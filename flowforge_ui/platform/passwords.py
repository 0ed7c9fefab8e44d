"""Passwords: which are accepted, and how they are kept (argon2id)."""

from __future__ import annotations

import os
import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from flowforge_ui.processors import anywhere

MIN_CHARACTERS = 8
MAX_BYTES = 1024


def password_problem(password: str, username: str) -> str | None:
    """Why this password is not accepted for that user, in one sentence; None when it is."""
    text = _typed(password)
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "This is no text."
    if len(text) < MIN_CHARACTERS:
        return f"At least {MIN_CHARACTERS} characters."
    if size > MAX_BYTES:
        return f"At most {MAX_BYTES} bytes."
    if not text.strip():
        return "Not of spaces alone."
    if text.strip().casefold() == username.strip().casefold():
        return "The password must not be the user name."
    return None


def _typed(password: str) -> str:
    """One text for what one person types: keyboards differ in whether they send é or e and an accent."""
    return unicodedata.normalize("NFC", password)


class Passwords:
    """argon2id. `memory_kib` and `rounds` are the cost of one guess (OWASP's 19 MiB and 2 by default).

    At most `at_once` hashes are computed at the same time, so that a rush at the login takes no more than
    `at_once * memory_kib` of memory.
    """

    def __init__(self, *, memory_kib: int = 19_456, rounds: int = 2, at_once: int | None = None) -> None:
        self._hasher = PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=1)
        self._turns = threading.BoundedSemaphore(at_once or 2 * (os.cpu_count() or 1))
        self._nobody = self._hasher.hash(os.urandom(16))

    def hash(self, password: str) -> str:
        with self._turns, anywhere():
            return self._hasher.hash(_typed(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether it is the password; with no stored hash the answer is no and takes the same work."""
        typed = _typed(password)
        if self._verify(stored, typed):
            return True
        # Older hashes are of the text as it came.
        return typed != password and self._verify(stored, password)

    def _verify(self, stored: str | None, password: str) -> bool:
        try:
            guess = password.encode()
        except UnicodeEncodeError:
            guess = b""
        if len(guess) > MAX_BYTES:
            guess = b""
        with self._turns, anywhere():
            try:
                return self._hasher.verify(stored or self._nobody, guess) and stored is not None
            except (VerificationError, InvalidHashError):
                return False

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made at another cost than today's."""
        return self._hasher.check_needs_rehash(stored)
