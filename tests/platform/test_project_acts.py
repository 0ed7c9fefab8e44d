from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from flowforge_ui.database import reading, transaction
from flowforge_ui.platform import flows, projects, tables, teams
from flowforge_ui.platform.drivers.localfs import LocalFs
from flowforge_ui.platform.errors import FlowsInvalid, FlowsTooLarge, Forbidden, NotFound
from flowforge_ui.platform.house import Platform

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cast, FakeClock
    from tests.platform.conftest import Race, Statements, Told

SAMPLE: list[dict[str, Any]] = [
    {"id": "t1", "type": "tab", "label": "Line 1"},
    {"id": "t2", "type": "tab", "label": "Line 2"},
    {"id": "s1", "type": "subflow", "name": "Filter"},
    {"id": "n1", "type": "inject", "z": "t1", "x": 10, "y": 10, "wires": [["n2"]]},
    {"id": "n2", "type": "debug", "z": "t1", "x": 10, "y": 20},
    {"id": "n3", "type": "debug", "z": "t2", "x": 10, "y": 20},
    {"id": "n4", "type": "subflow:s1", "z": "t2", "x": 10, "y": 30},
    {"id": "c1", "type": "mqtt-broker", "broker": "plc.plant.example"},
    {"id": "g1", "type": "group", "z": "t1", "x": 1, "y": 1, "w": 9, "h": 9},
    {"id": "j1", "type": "junction", "z": "t1", "x": 1, "y": 1},
]
TYPES = (("debug", 2), ("inject", 1), ("mqtt-broker", 1), ("subflow", 1))


def encoded(elements: object) -> bytes:
    return json.dumps(elements).encode()


@pytest.fixture
def mixer(platform: Platform, cast: Cast) -> projects.Project:
    with transaction(platform.engine) as tx:
        return projects.create(tx, platform.ledger, cast.bob, cast.plant.id, " Mixer ")


# -- projects


def test_a_project_is_created_by_a_member(platform: Platform, cast: Cast, told: Told, clock: FakeClock) -> None:
    with transaction(platform.engine) as tx:
        made = projects.create(tx, platform.ledger, cast.bob, cast.plant.id, " Mixer ")
    team = projects.ProjectTeam(cast.plant.id, "Plant", "member")
    assert made == projects.Project(made.id, "Mixer", team, 0, 0, clock(), clock())
    properties = {"team": platform.pseudonyms.team(cast.plant.id), "project": platform.pseudonyms.project(made.id)}
    assert told.events() == [("project created", cast.bob.subject.distinct_id, properties)]
    assert told.audit() == [("bob", "project created", cast.plant.id, "Mixer")]


def test_projects_are_listed_last_changed_first_in_one_query(
    platform: Platform, cast: Cast, mixer: projects.Project, clock: FakeClock, statements: Statements
) -> None:
    with transaction(platform.engine) as tx:
        own = teams.create(tx, platform.ledger, cast.alice, "Own")
        for number, team_id in enumerate([own.id, cast.plant.id]):
            clock.advance(minutes=1)
            projects.create(tx, platform.ledger, cast.alice, team_id, f"P{number}")
        clock.advance(minutes=1)
        projects.rename(tx, platform.ledger, cast.alice, mixer.id, "Mixer 2")
    with reading(platform.engine) as tx:
        statements.texts.clear()
        found = [projects.list_for(tx, who) for who in (cast.alice, cast.bob, cast.charlie)]
        assert len(statements.texts) == 3
        of_team = projects.list_of_team(tx, cast.bob, cast.plant.id)
        assert len(statements.texts) == 5  # the role, the list
    names = [[(project.name, project.team.name, project.team.role) for project in theirs] for theirs in found]
    assert names == [
        [("Mixer 2", "Plant", "owner"), ("P1", "Plant", "owner"), ("P0", "Own", "owner")],
        [("Mixer 2", "Plant", "member"), ("P1", "Plant", "member")],
        [],
    ]
    assert of_team == found[1]


def test_removing_a_project_removes_its_file_after_the_commit(
    platform: Platform, cast: Cast, mixer: projects.Project, told: Told
) -> None:
    put(platform, cast, mixer.id, SAMPLE)
    with transaction(platform.engine) as tx:
        projects.remove(tx, platform.ledger, cast.alice, platform.driver, mixer.id)
        assert platform.driver.read(mixer.id)
    assert platform.driver.read(mixer.id) is None
    with pytest.raises(NotFound), reading(platform.engine) as tx:
        projects.get(tx, cast.alice, mixer.id)
    assert told.audit()[-1] == ("alice", "project removed", cast.plant.id, "Mixer")


def test_a_removal_that_fails_keeps_the_file(platform: Platform, cast: Cast, mixer: projects.Project) -> None:
    put(platform, cast, mixer.id, SAMPLE)

    def attempt() -> None:
        with transaction(platform.engine) as tx:
            teams.remove(tx, platform.ledger, cast.alice, platform.driver, cast.plant.id)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        attempt()
    with reading(platform.engine) as tx:
        assert flows.export(tx, cast.alice, platform.driver, mixer.id) == encoded(SAMPLE)


def test_removing_a_team_removes_its_projects(
    platform: Platform, cast: Cast, mixer: projects.Project, told: Told
) -> None:
    put(platform, cast, mixer.id, SAMPLE)
    with transaction(platform.engine) as tx:
        teams.remove(tx, platform.ledger, cast.alice, platform.driver, cast.plant.id)
    assert platform.driver.read(mixer.id) is None
    with reading(platform.engine) as tx:
        assert (projects.count(tx), teams.count(tx)) == (0, 0)
        assert tx.execute(select(tables.memberships)).all() == []
    assert told.audit()[-1] == ("alice", "team removed", cast.plant.id, "Plant")


# -- flows


def put(platform: Platform, cast: Cast, project_id: str, elements: object) -> flows.Flows:
    file = flows.parse(encoded(elements))
    with transaction(platform.engine) as tx:
        return flows.put(tx, platform.ledger, cast.bob, platform.driver, project_id, file=file)


def test_flows_are_counted_kept_and_given_back(
    platform: Platform, cast: Cast, mixer: projects.Project, told: Told, clock: FakeClock
) -> None:
    clock.advance(minutes=5)
    stored = put(platform, cast, mixer.id, SAMPLE)
    assert stored == flows.Flows(2, 4, 1, 1, TYPES, clock())
    with reading(platform.engine) as tx:
        assert flows.view(tx, cast.alice, mixer.id) == stored
        assert flows.export(tx, cast.alice, platform.driver, mixer.id) == encoded(SAMPLE)
        project = projects.get(tx, cast.alice, mixer.id)
    assert (project.tabs, project.nodes, project.updated_at) == (2, 4, clock())
    pseudonyms = platform.pseudonyms
    properties = {"team": pseudonyms.team(cast.plant.id), "project": pseudonyms.project(mixer.id)}
    assert told.events() == [("flows imported", cast.bob.subject.distinct_id, {**properties, "tabs": 2, "nodes": 4})]
    assert told.audit() == [("bob", "flows imported", cast.plant.id, "Mixer")]


def test_a_project_without_flows(platform: Platform, cast: Cast, mixer: projects.Project) -> None:
    with reading(platform.engine) as tx:
        assert flows.view(tx, cast.bob, mixer.id) == flows.Flows(0, 0, 0, 0, (), None)
        assert flows.export(tx, cast.bob, platform.driver, mixer.id) == b"[]\n"
        for act in (
            lambda: flows.view(tx, cast.charlie, mixer.id),
            lambda: flows.export(tx, cast.charlie, platform.driver, mixer.id),
        ):
            with pytest.raises(NotFound):
                act()


def test_who_may_import(platform: Platform, cast: Cast, mixer: projects.Project) -> None:
    file = flows.parse(b"[]")
    with transaction(platform.engine) as tx:
        teams.change_role(tx, platform.ledger, cast.alice, cast.plant.id, cast.bob.user_id, role="viewer")
        with pytest.raises(Forbidden):
            flows.put(tx, platform.ledger, cast.bob, platform.driver, mixer.id, file=file)
        with pytest.raises(NotFound):
            flows.put(tx, platform.ledger, cast.charlie, platform.driver, mixer.id, file=file)
        flows.put(tx, platform.ledger, cast.alice, platform.driver, mixer.id, file=file)


def test_a_file_that_cannot_be_written_changes_nothing(
    platform: Platform, cast: Cast, mixer: projects.Project, told: Told, tmp_path: Path
) -> None:
    put(platform, cast, mixer.id, SAMPLE[:1])
    events, entries = told.events(), told.audit()

    class Full(LocalFs):
        def write(self, project_id: str, data: bytes) -> None:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"), transaction(platform.engine) as tx:
        flows.put(tx, platform.ledger, cast.bob, Full(tmp_path), mixer.id, file=flows.parse(encoded(SAMPLE)))
    with reading(platform.engine) as tx:
        assert flows.view(tx, cast.bob, mixer.id).tabs == 1
    assert (told.events(), told.audit()) == (events, entries)


def test_imports_at_once_leave_file_and_counts_of_one(
    platform: Platform, cast: Cast, mixer: projects.Project, race: Race, tmp_path: Path
) -> None:
    def upload(tabs: int) -> None:
        put(platform, cast, mixer.id, [{"id": f"t{number}", "type": "tab"} for number in range(tabs)])

    assert race(*[lambda tabs=tabs: upload(tabs) for tabs in range(1, 7)]) == [None] * 6
    with reading(platform.engine) as tx:
        counted = flows.view(tx, cast.bob, mixer.id).tabs
        kept = flows.export(tx, cast.bob, platform.driver, mixer.id)
    assert len(json.loads(kept)) == counted
    assert [path.name for path in (tmp_path / "projects" / mixer.id).iterdir()] == ["flows.json"]


# -- what a flows file is


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "line 1, column 1 is not JSON"),
        (b"[", "line 1, column 2 is not JSON"),
        (b"[]x", "line 1, column 3 is not JSON"),
        (b"\xff\xfe[\x00]\x00", "line 1, column 1 is not JSON"),
        (b'[{"id": "\xc3\x28", "type": "tab"}]', "line 1, column 1 is not JSON"),
        (b'[{"id": "a", "type": "b", "x": NaN}]', "line 1, column 32 is not JSON"),
        (b'[{"id": "\\ud800", "type": "tab"}]', "line 1, column 10 is not JSON"),
        (b"{}", "it has to be a JSON array"),
        (b"null", "it has to be a JSON array"),
        (b'{"flows": [], "rev": "1"}', "it has to be a JSON array"),
        (b"[[]]", "element 1 is not an object"),
        (b'[{"id": "a", "type": "tab"}, 7]', "element 2 is not an object"),
        (b'[{"type": "tab"}]', "element 1 has no id"),
        (b'[{"id": 7, "type": "tab"}]', "element 1 has no id"),
        (b'[{"id": "", "type": "tab"}]', "element 1 has no id"),
        (b'[{"id": "a"}]', "element 1 has no type"),
        (b'[{"id": "a", "type": null}]', "element 1 has no type"),
        (b'[{"id": "a", "type": "b\\u0000"}]', "the type of element 1 is not one"),
        (b'[{"id": "%s", "type": "tab"}]' % (b"a" * 201), "the id of element 1 is not one"),
        (b'[{"id": "a", "type": "tab"}, {"id": "a", "type": "tab"}]', "element 2 has the id of another one"),
        (encoded([{"id": f"n{n}", "type": f"t{n}"} for n in range(2001)]), "it has more than 2000 types of nodes"),
    ],
)
def test_what_is_no_flows_file(data: bytes, why: str) -> None:
    with pytest.raises(FlowsInvalid) as refused:
        flows.parse(data)
    assert refused.value.fields == {"flows": why}


@pytest.mark.parametrize(
    "opening", [b"[", b'{"a":', b'[{"id":"a","type":"b","x":', b'[{"id":"a","type":"b","x":[{"y":']
)
def test_deep_nesting_is_refused(opening: bytes) -> None:
    with pytest.raises(FlowsInvalid):
        flows.parse(opening * 100_000)


def test_size_is_limited() -> None:
    with pytest.raises(FlowsTooLarge):
        flows.parse(b" " * (flows.MAX_BYTES + 1))
    assert flows.parse(b"[]".ljust(flows.MAX_BYTES)).tabs == 0


def test_a_byte_order_mark_and_odd_contents_are_kept() -> None:
    data = b"\xef\xbb\xbf" + encoded([{"id": "a", "type": "tab", "__proto__": {"x": 1}, "label": "</script>"}])
    parsed = flows.parse(data)
    assert (parsed.data, parsed.tabs) == (data, 1)


# -- the driver


def test_files_are_for_the_server_s_own_user(tmp_path: Path) -> None:
    driver = LocalFs(tmp_path / "projects")
    driver.write("abc", b"one")
    file = tmp_path / "projects" / "abc" / "flows.json"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent, file.parent.parent)] == [
        *(0o600, 0o700, 0o700)
    ]
    assert driver.name == "localfs"


def test_replacing_is_atomic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = LocalFs(tmp_path)
    driver.write("abc", b"one")
    (tmp_path / "abc" / ".flows-left-by-a-crash").write_bytes(b"half")

    def broken(_handle: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", broken)
        with pytest.raises(OSError, match="Input/output"):
            driver.write("abc", b"two")
    assert driver.read("abc") == b"one"
    assert [path.name for path in (tmp_path / "abc").iterdir()] == ["flows.json"]
    driver.write("abc", b"three")
    assert driver.read("abc") == b"three"


def test_removing_and_reading_nothing(tmp_path: Path) -> None:
    driver = LocalFs(tmp_path)
    driver.remove("abc")
    assert driver.read("abc") is None
    driver.write("abc", b"one")
    driver.remove("abc")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("project_id", ["", ".", "..", "../etc", "a/b", "A", "a\x00", "a" * 33])
def test_no_way_out_of_the_folder(tmp_path: Path, project_id: str) -> None:
    driver = LocalFs(tmp_path)
    with pytest.raises(ValueError, match="not the id"):
        driver.read(project_id)
    with pytest.raises(ValueError, match="not the id"):
        driver.write(project_id, b"x")
    with pytest.raises(ValueError, match="not the id"):
        driver.remove(project_id)
    assert list(tmp_path.iterdir()) == []
