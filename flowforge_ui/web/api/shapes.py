"""What the API takes and gives, as docs/api.md says it. Bodies are strict: an unknown key is an error."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, RootModel

Role = Literal["user", "analyst", "admin"]
TeamRole = Literal["owner", "member", "viewer"]


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[datetime, PlainSerializer(_iso, return_type=str), Field(json_schema_extra={"format": "date-time"})]


class Body(BaseModel):
    """Base of everything that comes in."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Answer(BaseModel):
    """Base of everything that goes out."""

    model_config = ConfigDict(frozen=True)


# -- bodies

Word = Annotated[str, Field(max_length=256)]
Secret = Annotated[str, Field(max_length=1024)]


class Login(Body):
    username: Word
    password: Secret


class Register(Body):
    username: Word
    password: Secret
    name: Word | None = None
    email: Word | None = None


class UserCreate(Register):
    role: Role


class UserPatch(Body):
    name: Word | None = None
    email: Word | None = None


class UserAdminPatch(UserPatch):
    role: Role | None = None
    suspended: bool | None = None


class PasswordChange(Body):
    current: Secret
    new: Secret


class PrivacyChange(Body):
    opt_out: bool


class TeamName(Body):
    name: Word


class RoleChange(Body):
    role: TeamRole


class InvitationCreate(Body):
    username: Word
    role: TeamRole


class ProjectCreate(Body):
    team: Word
    name: Word


class ProjectName(Body):
    name: Word


class SetupOptions(Body):
    telemetry: bool
    local_analytics: bool


class SettingsPatch(RootModel[dict[Word, bool]]):
    """Switches by key."""

    model_config = ConfigDict(strict=True, frozen=True)


# -- answers


class Csrf(Answer):
    csrf: str


class User(Answer):
    id: str
    username: str
    name: str
    email: str | None
    role: Role
    telemetry_opt_out: bool
    created_at: Moment


class UserRow(User):
    suspended: bool
    last_login_at: Moment | None


class Users(Answer):
    users: list[UserRow]


class SessionRow(Answer):
    id: str
    created_at: Moment
    last_seen_at: Moment
    user_agent: str
    current: bool


class Sessions(Answer):
    sessions: list[SessionRow]


class PrivacyEvent(Answer):
    uuid: str
    event: str
    timestamp: Moment
    origin: str
    properties: dict[str, Any]
    sinks: dict[str, str]


class Privacy(Answer):
    opt_out: bool
    pseudonym: str
    recorded: bool
    events: list[PrivacyEvent]


class TeamRef(Answer):
    id: str
    name: str


class TeamOfProject(TeamRef):
    pseudonym: str
    role: TeamRole


class Team(TeamOfProject):
    members: int
    projects: int
    created_at: Moment


class Teams(Answer):
    teams: list[Team]


class Member(Answer):
    id: str
    username: str
    name: str
    role: TeamRole
    joined_at: Moment


class Members(Answer):
    members: list[Member]


class Invitation(Answer):
    id: str
    username: str
    role: TeamRole
    invited_by: str
    created_at: Moment


class Invitations(Answer):
    invitations: list[Invitation]


class MyInvitation(Answer):
    id: str
    team: TeamRef
    role: TeamRole
    invited_by: str
    created_at: Moment


class MyInvitations(Answer):
    invitations: list[MyInvitation]


class AuditRow(Answer):
    id: str
    at: Moment
    actor: str | None
    event: str
    target: str | None


class Audit(Answer):
    entries: list[AuditRow]


class FlowSize(Answer):
    tabs: int
    nodes: int


class Project(Answer):
    id: str
    name: str
    pseudonym: str
    team: TeamOfProject
    flows: FlowSize
    created_at: Moment
    updated_at: Moment


class Projects(Answer):
    projects: list[Project]


class Home(Answer):
    teams: list[Team]
    projects: list[Project]
    invitations: list[MyInvitation]


class NodeType(Answer):
    type: str
    count: int


class Flows(Answer):
    tabs: int
    nodes: int
    subflows: int
    config_nodes: int
    types: list[NodeType]
    updated_at: Moment | None


class Setting(Answer):
    key: str
    label: str
    help: str
    type: str
    value: bool
    effective: bool
    locked: bool
    decided_by: str
    explanation: str


class Settings(Answer):
    settings: list[Setting]


class Counts(Answer):
    users: int
    teams: int
    projects: int


class Overview(Answer):
    version: str
    instance_id: str
    counts: Counts
    database: str
    started_at: Moment


class Layer(Answer):
    layer: str
    value: str
    decides: bool


class Channel(Answer):
    channel: str
    label: str
    allowed: bool
    reason: str
    decided_by: str
    layers: list[Layer]
    last_success_at: Moment | None
    last_error_at: Moment | None
    last_error: str | None
    addressed: int
    pending: int
    delivered: int
    failed: int
    abandoned: int


class EventCounts(Answer):
    accepted: int
    dropped: dict[str, int]
    refused: dict[str, int]


class Host(Answer):
    host: str
    why: str
    how_to_stop: str


class TelemetryStatus(Answer):
    channels: list[Channel]
    counts: EventCounts
    hosts: list[Host]
    warnings: list[str]


class Options(Answer):
    telemetry: bool
    local_analytics: bool


class Booted(Answer):
    """An answer after which the page needs new facts."""

    boot: dict[str, Any]


class PrivacyBooted(Privacy):
    boot: dict[str, Any]


class Problem(Answer):
    """The one error shape."""

    code: str
    error: str
    fields: dict[str, str] | None = None
