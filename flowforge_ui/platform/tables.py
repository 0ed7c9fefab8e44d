"""The platform's tables. What creates them is flowforge_ui/migrations; a test holds the two together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

from flowforge_ui.database import Millis, metadata

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect


class Id(TypeDecorator[str]):
    """An opaque id. What cannot be one (it holds a zero byte, say) is never found, and breaks nothing."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        del dialect
        return value if value is None or _AN_ID.fullmatch(value) else ""


_AN_ID = re.compile(r"[a-z0-9]{1,32}")
_ID = Id()

installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("instance_id", String(36), nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("capture_prefix", String(16), nullable=False),
    Column("local_token", String(64), nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("setup_admin_id", _ID),
    Column("setup_options_at", Millis),
    Column("setup_finished_at", Millis),
    CheckConstraint("id = 1", name="one"),
)

users = Table(
    "users",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("username", String(32), nullable=False),
    Column("name", String(100), nullable=False),
    Column("email", String(254)),
    Column("password_hash", String(255), nullable=False),
    Column("role", String(16), nullable=False),
    Column("suspended", Boolean, nullable=False),
    Column("telemetry_opt_out", Boolean, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("last_login_at", Millis),
    UniqueConstraint("username"),
    CheckConstraint("username = lower(username)", name="username"),
    CheckConstraint("role IN ('user', 'analyst', 'admin')", name="role"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("token_hash", String(64), nullable=False),
    Column("user_id", _ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("last_seen_at", Millis, nullable=False),
    Column("expires_at", Millis, nullable=False),
    Column("user_agent", String(200), nullable=False),
    UniqueConstraint("token_hash"),
    Index(None, "user_id"),
    Index(None, "expires_at"),
)

login_attempts = Table(
    "login_attempts",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account", String(32), nullable=False),
    Column("address", String(32), nullable=False),
    Column("device", String(32), nullable=False),
    Column("at", Millis, nullable=False),
    Index(None, "account", "device", "at"),
    Index(None, "address", "device", "at"),
    Index(None, "at"),
)

teams = Table(
    "teams",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("created_at", Millis, nullable=False),
)

memberships = Table(
    "memberships",
    metadata,
    Column("team_id", _ID, ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", _ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("joined_at", Millis, nullable=False),
    CheckConstraint("role IN ('owner', 'member', 'viewer')", name="role"),
    Index(None, "user_id"),
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("team_id", _ID, ForeignKey("teams.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", _ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("role", String(16), nullable=False),
    Column("invited_by", String(32), nullable=False),
    Column("created_at", Millis, nullable=False),
    UniqueConstraint("team_id", "user_id"),
    CheckConstraint("role IN ('owner', 'member', 'viewer')", name="role"),
    Index(None, "user_id"),
)

projects = Table(
    "projects",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("team_id", _ID, ForeignKey("teams.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(100), nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("updated_at", Millis, nullable=False),
    Column("tabs", Integer, nullable=False),
    Column("nodes", Integer, nullable=False),
    Column("subflows", Integer, nullable=False),
    Column("config_nodes", Integer, nullable=False),
    Column("node_types", JSON, nullable=False),
    Column("flows_updated_at", Millis),
    Index(None, "team_id"),
)

# Who did what. It outlives the user, the team and the thing it names: names are copied, nothing refers.
audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Millis, nullable=False),
    Column("actor_id", _ID),
    Column("actor", String(32)),
    Column("event", String(64), nullable=False),
    Column("team_id", _ID),
    Column("target", Text),
    Index(None, "team_id", "id"),
    Index(None, "at"),
    sqlite_autoincrement=True,
)

settings = Table(
    "settings",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
    Column("updated_at", Millis, nullable=False),
)
