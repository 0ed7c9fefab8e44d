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
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # fillers for Hangul syllables, the Braille pattern without dots
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
    if not printable(text) or not _in_line(text):
        return "No control characters."
    return None if any(map(_visible, text)) else "At least one character has to be visible."


def _in_line(text: str) -> bool:
    """Without what breaks a line or turns round the text beside it: one name could make another look different."""
    return not any(one in _DIRECTIONS or unicodedata.category(one) in ("Zl", "Zp") for one in text)


def _visible(one: str) -> bool:
    """Marks are seen only on something else, and some letters are there to hold a place."""
    category = unicodedata.category(one)
    return category[0] not in "MZ" and category != "Cf" and one not in _BLANK


def email_problem(text: str) -> str | None:
    """Why this cannot be an e-mail address; the only proof of one is a mail, so little is asked."""
    local, at, domain = text.rpartition("@")
    written = printable(text) and _in_line(text) and not any(map(str.isspace, text))
    if len(text) > EMAIL_LENGTH or not (local and at and domain) or not written:
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
