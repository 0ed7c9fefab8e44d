"""Ids, times and the texts people type in."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable
from datetime import datetime

from .errors import InvalidInput

Clock = Callable[[], datetime]
"""Gives the present moment as an aware UTC datetime."""

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
NAME_LENGTH = 100
EMAIL_LENGTH = 254


def random_word(length: int) -> str:
    """Letters and digits, the first one a letter."""
    return secrets.choice(_ALPHABET[:26]) + "".join(secrets.choice(_ALPHABET) for _ in range(length - 1))


def new_id() -> str:
    """An opaque id of 16 letters and digits (82 bits)."""
    return random_word(16)


def moment(clock: Clock) -> datetime:
    """The present as the database keeps it, in whole milliseconds."""
    now = clock()
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def printable(text: str) -> bool:
    """Without control characters and lone surrogates, which no store and no screen takes well."""
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


def name_problem(text: str) -> str | None:
    """Why this cannot be the name of something, given trimmed text."""
    if not text:
        return "A name is needed."
    if len(text) > NAME_LENGTH:
        return f"At most {NAME_LENGTH} characters."
    return None if printable(text) else "No control characters."


def email_problem(text: str) -> str | None:
    """Why this cannot be an e-mail address; the only proof of one is a mail, so little is asked."""
    local, at, domain = text.rpartition("@")
    if len(text) > EMAIL_LENGTH or not (local and at and domain) or any(map(str.isspace, text)) or not printable(text):
        return "Not an e-mail address."
    return None


def checked_name(text: str, field: str = "name") -> str:
    """The trimmed name.

    Raises:
        InvalidInput: naming `field`.
    """
    trimmed = text.strip()
    if problem := name_problem(trimmed):
        raise InvalidInput(fields={field: problem})
    return trimmed
