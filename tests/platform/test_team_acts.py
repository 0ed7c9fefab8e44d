from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from flowforge_ui.database import reading, transaction
from flowforge_ui.platform import invitations, projects, teams
from flowforge_ui.platform.errors import (
    AlreadyInvited,
    AlreadyMember,
    Forbidden,
    InvalidInput,
    LastOwner,
    NotFound,
    PlatformError,
)
from flowforge_ui.platform.house import Platform

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from flowforge_ui.platform.actor import Actor, TeamRole
    from tests.conftest import Cast, FakeClock
    from tests.platform.conftest import Race, Statements, Told

    Act = Callable[[Platform, Connection, Actor, Cast, str], object]

STRANGE = "nothing00000000x"
HOSTILE = ['"><script>', "</script>", "\N{SPIDER}\N{SPIDER WEB}", "{{7*7}}", "' OR 1=1 --", "Zoë"]


def add_viewer(platform: Platform, cast: Cast) -> Actor:
    """Charlie joins the team as a viewer."""
    with transaction(platform.engine) as tx:
        sent = invitations.send(tx, platform.ledger, cast.alice, cast.plant.id, username="charlie", role="viewer")
        invitations.accept(tx, platform.ledger, cast.charlie, sent.id)
    return cast.charlie


# -- teams


def test_whoever_creates_a_team_owns_it(platform: Platform, cast: Cast, told: Told, clock: FakeClock) -> None:
    with transaction(platform.engine) as tx:
        team = teams.create(tx, platform.ledger, cast.charlie, "  Line 4 ")
    assert (team.name, team.role, team.members, team.projects, team.created_at) == ("Line 4", "owner", 1, 0, clock())
    with reading(platform.engine) as tx:
        assert teams.get(tx, cast.charlie, team.id) == team
    properties = {"team": platform.pseudonyms.team(team.id)}
    assert told.events() == [("team created", cast.charlie.subject.distinct_id, properties)]
    assert told.audit() == [("charlie", "team created", team.id, "Line 4")]


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\x00b", "a\nb", "\ud800", "a\u2028b", "\u202eb"])
def test_a_name_that_is_none(platform: Platform, cast: Cast, told: Told, name: str) -> None:
    with transaction(platform.engine) as tx:
        for act in (
            lambda: teams.create(tx, platform.ledger, cast.alice, name),
            lambda: teams.rename(tx, platform.ledger, cast.alice, cast.plant.id, name),
            lambda: projects.create(tx, platform.ledger, cast.alice, cast.plant.id, name),
        ):
            with pytest.raises(InvalidInput) as refused:
                act()
            assert list(refused.value.fields) == ["name"]
    assert (told.events(), told.audit()) == ([], [])


def test_hostile_names_are_kept_as_they_are(platform: Platform, cast: Cast) -> None:
    with transaction(platform.engine) as tx:
        made = [teams.create(tx, platform.ledger, cast.bob, name).id for name in HOSTILE]
        assert [teams.get(tx, cast.bob, team_id).name for team_id in made] == HOSTILE


def test_teams_are_one_s_own_with_counts_in_one_query(platform: Platform, cast: Cast, statements: Statements) -> None:
    with transaction(platform.engine) as tx:
        for name in ("zeta", "Alpha"):
            team = teams.create(tx, platform.ledger, cast.alice, name)
            projects.create(tx, platform.ledger, cast.alice, team.id, "one")
        projects.create(tx, platform.ledger, cast.bob, cast.plant.id, "two")
    with reading(platform.engine) as tx:
        statements.texts.clear()
        found = {who.username: teams.list_for(tx, who) for who in (cast.alice, cast.bob, cast.charlie, cast.root)}
    assert len(statements.texts) == 4
    assert {
        who: [(team.name, team.role, team.members, team.projects) for team in theirs] for who, theirs in found.items()
    } == {
        "alice": [("Alpha", "owner", 1, 1), ("Plant", "owner", 2, 1), ("zeta", "owner", 1, 1)],
        "bob": [("Plant", "member", 2, 1)],
        "charlie": [],
        "root": [],
    }


# -- who may do what

TEAM_ACTS: dict[str, tuple[TeamRole, Act]] = {
    "see": ("viewer", lambda p, tx, who, cast, project: teams.get(tx, who, cast.plant.id)),
    "rename": ("owner", lambda p, tx, who, cast, project: teams.rename(tx, p.ledger, who, cast.plant.id, "New")),
    "remove": ("owner", lambda p, tx, who, cast, project: teams.remove(tx, p.ledger, who, p.driver, cast.plant.id)),
    "members": ("viewer", lambda p, tx, who, cast, project: teams.members(tx, who, cast.plant.id)),
    "change role": (
        "owner",
        lambda p, tx, who, cast, project: teams.change_role(
            tx, p.ledger, who, cast.plant.id, cast.bob.user_id, role="viewer"
        ),
    ),
    "remove member": (
        "owner",
        lambda p, tx, who, cast, project: teams.remove_member(tx, p.ledger, who, cast.plant.id, cast.root.user_id),
    ),
    "invite": (
        "owner",
        lambda p, tx, who, cast, project: invitations.send(
            tx, p.ledger, who, cast.plant.id, username="root", role="viewer"
        ),
    ),
    "invitations": ("owner", lambda p, tx, who, cast, project: invitations.list_of_team(tx, who, cast.plant.id)),
    "revoke": (
        "owner",
        lambda p, tx, who, cast, project: invitations.revoke(tx, p.ledger, who, cast.plant.id, "unknown"),
    ),
    "projects": ("viewer", lambda p, tx, who, cast, project: projects.list_of_team(tx, who, cast.plant.id)),
    "create project": (
        "member",
        lambda p, tx, who, cast, project: projects.create(tx, p.ledger, who, cast.plant.id, "Name"),
    ),
    "see project": ("viewer", lambda p, tx, who, cast, project: projects.get(tx, who, project)),
    "rename project": (
        "member",
        lambda p, tx, who, cast, project: projects.rename(tx, p.ledger, who, project, "New"),
    ),
    "remove project": (
        "owner",
        lambda p, tx, who, cast, project: projects.remove(tx, p.ledger, who, p.driver, project),
    ),
}


@pytest.mark.parametrize("name", TEAM_ACTS)
def test_guards(platform: Platform, cast: Cast, name: str) -> None:
    """Owner alice, member bob, viewer charlie; root is a stranger here, administrator or not."""
    at_least, act = TEAM_ACTS[name]
    charlie = add_viewer(platform, cast)
    with transaction(platform.engine) as tx:
        project = projects.create(tx, platform.ledger, cast.alice, cast.plant.id, "Mixer").id
    ranks = {"viewer": 0, "member": 1, "owner": 2}
    found, expected = {}, {}
    for who, rank in ((cast.alice, 2), (cast.bob, 1), (charlie, 0), (cast.root, None)):
        found[who.username] = outcome(act, platform, who, cast, project)
        allowed = rank is not None and rank >= ranks[at_least]
        expected[who.username] = "done" if allowed else "not_found" if rank is None else "forbidden"
    if name in ("remove member", "revoke"):  # there is nobody and nothing to find, but the owner was let in
        expected["alice"] = "not_found"
    assert found == expected


class Undo(Exception):
    """Whatever has been done is not to stay."""


def undo() -> None:
    raise Undo


def outcome(act: Act, platform: Platform, who: Actor, cast: Cast, project: str) -> str:
    """What comes of an act that is not kept."""
    try:
        with transaction(platform.engine) as tx:
            act(platform, tx, who, cast, project)
            undo()
    except PlatformError as error:
        return error.code
    except Undo:
        return "done"
    return "kept"


def test_what_does_not_exist_is_answered_like_what_is_not_yours(platform: Platform, cast: Cast) -> None:
    answers = []
    for team_id in (cast.plant.id, STRANGE, "", "\x00", "\ud800", "' OR 1=1 --"):
        with pytest.raises(NotFound) as refused, reading(platform.engine) as tx:
            teams.get(tx, cast.charlie, team_id)
        answers.append((str(refused.value), refused.value.fields))
        with pytest.raises(NotFound), reading(platform.engine) as tx:
            projects.get(tx, cast.charlie, team_id)
        with pytest.raises(NotFound), transaction(platform.engine) as tx:
            projects.create(tx, platform.ledger, cast.charlie, team_id, "Mixer")
    assert answers == [answers[0]] * 6


# -- members


def test_members_are_listed_by_name_in_two_queries(platform: Platform, cast: Cast, statements: Statements) -> None:
    add_viewer(platform, cast)
    with reading(platform.engine) as tx:
        statements.texts.clear()
        found = teams.members(tx, cast.bob, cast.plant.id)
    assert len(statements.texts) == 2  # the role, the list
    assert [(member.username, member.name, member.role) for member in found] == [
        ("alice", "Alice", "owner"),
        ("bob", "Bob", "member"),
        ("charlie", "Charlie", "viewer"),
    ]


def test_a_role_is_changed_and_written_down(platform: Platform, cast: Cast, told: Told) -> None:
    with transaction(platform.engine) as tx:
        ledger, team, bob = platform.ledger, cast.plant.id, cast.bob.user_id
        assert teams.change_role(tx, ledger, cast.alice, team, bob, role="owner").role == "owner"
        assert teams.change_role(tx, ledger, cast.alice, team, bob, role="owner").role == "owner"
        assert teams.change_role(tx, ledger, cast.bob, team, cast.alice.user_id, role="viewer").role == "viewer"
        with pytest.raises(InvalidInput):
            teams.change_role(tx, ledger, cast.bob, team, bob, role="king")  # type: ignore[arg-type]
        with pytest.raises(NotFound):
            teams.change_role(tx, ledger, cast.bob, team, cast.charlie.user_id, role="viewer")
    assert told.audit() == [
        ("alice", "member role changed", cast.plant.id, "bob: owner"),
        ("bob", "member role changed", cast.plant.id, "alice: viewer"),
    ]


def test_the_last_owner_stays(platform: Platform, cast: Cast) -> None:
    ledger, team, alice = platform.ledger, cast.plant.id, cast.alice
    with transaction(platform.engine) as tx:
        for act in (
            lambda: teams.remove_member(tx, ledger, alice, team, alice.user_id),
            lambda: teams.change_role(tx, ledger, alice, team, alice.user_id, role="member"),
            lambda: teams.change_role(tx, ledger, alice, team, alice.user_id, role="viewer"),
        ):
            with pytest.raises(LastOwner):
                act()
        teams.change_role(tx, ledger, alice, team, cast.bob.user_id, role="owner")
        teams.remove_member(tx, ledger, alice, team, alice.user_id)
        with pytest.raises(NotFound):
            teams.get(tx, alice, team)


def test_a_member_may_leave(platform: Platform, cast: Cast, told: Told) -> None:
    charlie = add_viewer(platform, cast)
    with transaction(platform.engine) as tx:
        with pytest.raises(Forbidden):
            teams.remove_member(tx, platform.ledger, charlie, cast.plant.id, cast.bob.user_id)
        teams.remove_member(tx, platform.ledger, charlie, cast.plant.id, charlie.user_id)
        teams.remove_member(tx, platform.ledger, cast.alice, cast.plant.id, cast.bob.user_id)
        assert [member.username for member in teams.members(tx, cast.alice, cast.plant.id)] == ["alice"]
    assert told.audit()[-2:] == [
        ("charlie", "member left", cast.plant.id, "charlie"),
        ("alice", "member removed", cast.plant.id, "bob"),
    ]


@pytest.mark.parametrize("way", ["leave", "step down", "remove each other"])
def test_two_last_owners_go_at_once(platform: Platform, cast: Cast, race: Race, way: str) -> None:
    ledger, team = platform.ledger, cast.plant.id
    with transaction(platform.engine) as tx:
        teams.change_role(tx, ledger, cast.alice, team, cast.bob.user_id, role="owner")

    def go(who: Actor, other: Actor) -> None:
        with transaction(platform.engine) as tx:
            if way == "step down":
                teams.change_role(tx, ledger, who, team, who.user_id, role="viewer")
            else:
                teams.remove_member(tx, ledger, who, team, (who if way == "leave" else other).user_id)

    found = race(lambda: go(cast.alice, cast.bob), lambda: go(cast.bob, cast.alice))
    # The slower of two who remove each other is either told so or is no member any more.
    assert [error is None for error in found].count(True) == 1
    assert {type(error) for error in found if error} <= {LastOwner, NotFound}
    with reading(platform.engine) as tx:
        stayed = cast.alice if found[0] is not None and way != "remove each other" else cast.bob
        if way == "remove each other":
            stayed = cast.alice if found[0] is None else cast.bob
        assert [m.role for m in teams.members(tx, stayed, team)].count("owner") == 1


@pytest.mark.parametrize("act", ["remove", "create project", "accept", "decline", "invite", "remove member"])
def test_while_the_team_is_removed(platform: Platform, cast: Cast, race: Race, act: str) -> None:
    """Whoever comes second finds no team; nobody gets anything but a plain answer."""
    ledger, team = platform.ledger, cast.plant.id
    with transaction(platform.engine) as tx:
        sent = invitations.send(tx, ledger, cast.alice, team, username="charlie", role="member")

    def run(name: str) -> str:
        with transaction(platform.engine) as tx:
            if name == "remove":
                teams.remove(tx, ledger, cast.alice, platform.driver, team)
            elif name == "create project":
                projects.create(tx, ledger, cast.bob, team, "Mixer")
            elif name == "accept":
                invitations.accept(tx, ledger, cast.charlie, sent.id)
            elif name == "decline":
                invitations.decline(tx, ledger, cast.charlie, sent.id)
            elif name == "invite":
                invitations.send(tx, ledger, cast.alice, team, username="root", role="member")
            else:
                teams.remove_member(tx, ledger, cast.bob, team, cast.bob.user_id)
        return "done"

    found = race(lambda: run("remove"), lambda: run(act))
    assert [one if one == "done" else type(one) for one in sorted(found, key=str)] in (
        ["done", "done"],
        [NotFound, "done"],
    )
    with reading(platform.engine) as tx:
        assert (teams.count(tx), projects.count(tx)) == (0, 0)


def test_who_is_being_taken_out_takes_nobody_along(platform: Platform, cast: Cast) -> None:
    """An owner's role is looked at again once the team is held, not as it was before the wait."""
    ledger, team = platform.ledger, cast.plant.id
    with transaction(platform.engine) as tx:
        teams.change_role(tx, ledger, cast.alice, team, cast.bob.user_id, role="owner")
    charlie = add_viewer(platform, cast)
    refused: list[object] = []

    def bob_removes_charlie() -> None:
        try:
            with transaction(platform.engine) as tx:
                teams.remove_member(tx, ledger, cast.bob, team, charlie.user_id)
        except NotFound as error:
            refused.append(error.code)

    with transaction(platform.engine) as tx:
        teams.remove_member(tx, ledger, cast.alice, team, cast.bob.user_id)
        late = threading.Thread(target=bob_removes_charlie)
        late.start()
        late.join(0.3)  # it waits for us
        assert late.is_alive()
    late.join()
    assert refused == ["not_found"]
    with reading(platform.engine) as tx:
        assert [member.username for member in teams.members(tx, cast.alice, team)] == ["alice", "charlie"]


# -- invitations


def test_an_invitation_from_sending_to_joining(platform: Platform, cast: Cast, told: Told) -> None:
    ledger, team = platform.ledger, cast.plant.id
    with transaction(platform.engine) as tx:
        sent = invitations.send(tx, ledger, cast.alice, team, username=" CHARLIE ", role="viewer")
        assert invitations.list_of_team(tx, cast.alice, team) == [sent]
        assert (sent.username, sent.role, sent.invited_by) == ("charlie", "viewer", "alice")
        (received,) = invitations.list_for(tx, cast.charlie)
        assert (received.id, received.team_id, received.team_name, received.role, received.invited_by) == (
            *(sent.id, team, "Plant"),
            *("viewer", "alice"),
        )
        for other in (cast.bob, cast.alice, cast.root):
            assert invitations.list_for(tx, other) == []
            with pytest.raises(NotFound):
                invitations.accept(tx, ledger, other, sent.id)
            with pytest.raises(NotFound):
                invitations.decline(tx, ledger, other, sent.id)
        assert invitations.accept(tx, ledger, cast.charlie, sent.id) == team
        assert teams.get(tx, cast.charlie, team).role == "viewer"
        assert invitations.list_for(tx, cast.charlie) == []
        assert invitations.list_of_team(tx, cast.alice, team) == []
    properties = {"team": platform.pseudonyms.team(team), "member_role": "viewer"}
    assert told.events() == [
        ("invitation sent", cast.alice.subject.distinct_id, properties),
        ("invitation accepted", cast.charlie.subject.distinct_id, properties),
    ]
    assert told.audit() == [
        ("alice", "invitation sent", team, "charlie: viewer"),
        ("charlie", "invitation accepted", team, "charlie: viewer"),
    ]


def test_invitations_that_make_no_sense(platform: Platform, cast: Cast) -> None:
    def send(username: str, role: str = "member") -> None:
        with transaction(platform.engine) as tx:
            invitations.send(
                tx,
                platform.ledger,
                cast.alice,
                cast.plant.id,
                username=username,
                role=role,  # type: ignore[arg-type]
            )

    for username in ("nobody", "", "\x00", "\ud800", "a b"):
        with pytest.raises(InvalidInput):
            send(username)
    with pytest.raises(InvalidInput):
        send("charlie", "king")
    for member in ("bob", "alice"):
        with pytest.raises(AlreadyMember):
            send(member)
    send("charlie")
    with pytest.raises(AlreadyInvited):
        send("charlie", "owner")


def test_declining_and_revoking(platform: Platform, cast: Cast, told: Told) -> None:
    ledger, team = platform.ledger, cast.plant.id
    with transaction(platform.engine) as tx:
        sent = invitations.send(tx, ledger, cast.alice, team, username="charlie", role="owner")
        invitations.decline(tx, ledger, cast.charlie, sent.id)
        sent = invitations.send(tx, ledger, cast.alice, team, username="charlie", role="member")
        other = teams.create(tx, ledger, cast.bob, "Other")
        with pytest.raises(NotFound):  # an owner, but of another team
            invitations.revoke(tx, ledger, cast.bob, other.id, sent.id)
        invitations.revoke(tx, ledger, cast.alice, team, sent.id)
        for act in (
            lambda: invitations.accept(tx, ledger, cast.charlie, sent.id),
            lambda: invitations.revoke(tx, ledger, cast.alice, team, sent.id),
        ):
            with pytest.raises(NotFound):
                act()
    assert [(who, what, target) for who, what, _, target in told.audit() if "invitation" in what] == [
        ("alice", "invitation sent", "charlie: owner"),
        ("charlie", "invitation declined", "charlie"),
        ("alice", "invitation sent", "charlie: member"),
        ("alice", "invitation revoked", "charlie"),
    ]


def test_accepting_twice_at_once_joins_once(platform: Platform, cast: Cast, race: Race, told: Told) -> None:
    with transaction(platform.engine) as tx:
        sent = invitations.send(tx, platform.ledger, cast.alice, cast.plant.id, username="charlie", role="member")

    def accept() -> str:
        with transaction(platform.engine) as tx:
            return invitations.accept(tx, platform.ledger, cast.charlie, sent.id)

    found = race(accept, accept, accept)
    assert found.count(cast.plant.id) == 1
    assert [type(error) for error in found].count(NotFound) == 2
    assert [name for name, _, _ in told.events()] == ["invitation sent", "invitation accepted"]


def test_inviting_twice_at_once_invites_once(platform: Platform, cast: Cast, race: Race) -> None:
    def send() -> str:
        with transaction(platform.engine) as tx:
            ledger = platform.ledger
            return invitations.send(tx, ledger, cast.alice, cast.plant.id, username="charlie", role="member").username

    found = race(send, send, send)
    assert found.count("charlie") == 1
    assert [type(error) for error in found].count(AlreadyInvited) == 2
