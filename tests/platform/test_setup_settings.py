from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, insert, select

from flowforge_ui.database import reading, transaction
from flowforge_ui.platform import settings, setup, tables, users
from flowforge_ui.platform.errors import (
    Forbidden,
    InvalidInput,
    SetupAdminExists,
    SetupFinished,
    SetupUnfinished,
)
from flowforge_ui.platform.house import Platform
from flowforge_ui.platform.setup import SetupState

if TYPE_CHECKING:
    from flowforge_ui.platform.actor import Actor
    from tests.conftest import Cast
    from tests.platform.conftest import Race, Statements, Told


def candidate(platform: Platform, username: str) -> users.Candidate:
    return users.candidate(platform.passwords, username=username, password="long enough")


def administrator(platform: Platform) -> Actor:
    with transaction(platform.engine) as tx:
        user = setup.create_administrator(tx, platform.ledger, candidate(platform, "root"))
    return user.actor(platform.pseudonyms)


def state(platform: Platform) -> SetupState:
    with reading(platform.engine) as tx:
        return setup.state(tx)


def count_users(platform: Platform) -> int:
    with reading(platform.engine) as tx:
        return tx.execute(select(func.count()).select_from(tables.users)).scalar_one()


# -- set-up


def test_the_three_steps(platform: Platform, told_before: Told) -> None:
    ledger = platform.ledger
    assert state(platform) == SetupState("admin", False)
    root = administrator(platform)
    assert root.role == "admin"
    assert state(platform) == SetupState("options", False)
    with transaction(platform.engine) as tx:
        setup.choose(tx, ledger, root, telemetry=False, local_analytics=False)
        setup.choose(tx, ledger, root, telemetry=False, local_analytics=True)
    assert state(platform) == SetupState("finish", False)
    with transaction(platform.engine) as tx:
        setup.finish(tx, ledger, root, telemetry=False, local_analytics=True)
        assert settings.read(tx) == settings.Settings(False, True, None)
    assert state(platform) == SetupState("finish", True)
    who = root.subject.distinct_id
    assert told_before.events() == [
        ("user registered", who, {"how": "setup"}),
        ("set-up finished", who, {"telemetry": False, "local_analytics": True}),
    ]
    assert told_before.audit() == [
        ("root", "user registered", None, "root"),
        ("root", "set-up finished", None, None),
    ]


def test_no_step_before_its_turn(platform: Platform) -> None:
    with pytest.raises(SetupUnfinished), transaction(platform.engine) as tx:
        setup.register(tx, platform.ledger, candidate(platform, "alice"))
    root = administrator(platform)
    with pytest.raises(SetupUnfinished), transaction(platform.engine) as tx:
        setup.finish(tx, platform.ledger, root, telemetry=False, local_analytics=True)
    with pytest.raises(SetupUnfinished), transaction(platform.engine) as tx:
        setup.register(tx, platform.ledger, candidate(platform, "alice"))
    assert state(platform) == SetupState("options", False)


def test_no_step_after_its_turn(platform: Platform, cast: Cast) -> None:
    ledger, root = platform.ledger, cast.root
    before = count_users(platform)
    with pytest.raises(SetupFinished), transaction(platform.engine) as tx:
        setup.create_administrator(tx, ledger, candidate(platform, "mallory"))
    with pytest.raises(SetupFinished), transaction(platform.engine) as tx:
        setup.choose(tx, ledger, root, telemetry=False, local_analytics=False)
    with pytest.raises(SetupFinished), transaction(platform.engine) as tx:
        setup.finish(tx, ledger, root, telemetry=False, local_analytics=True)
    assert count_users(platform) == before
    with reading(platform.engine) as tx:
        assert settings.read(tx) == settings.Settings(True, True, None)


def test_only_the_administrator_goes_on(platform: Platform, cast: Cast) -> None:
    with transaction(platform.engine) as tx:
        with pytest.raises(Forbidden):
            setup.choose(tx, platform.ledger, cast.alice, telemetry=True, local_analytics=True)
        with pytest.raises(Forbidden):
            setup.finish(tx, platform.ledger, cast.alice, telemetry=False, local_analytics=True)


def test_of_two_administrators_at_once_one_wins(platform: Platform, race: Race) -> None:
    def create(username: str) -> str:
        who = candidate(platform, username)
        with transaction(platform.engine) as tx:
            return setup.create_administrator(tx, platform.ledger, who).username

    found = race(lambda: create("anna"), lambda: create("berta"), lambda: create("clara"))
    winners = [one for one in found if isinstance(one, str)]
    assert len(winners) == 1
    assert [error.code for error in found if isinstance(error, SetupAdminExists)] == ["setup_admin_exists"] * 2
    with reading(platform.engine) as tx:
        assert tx.execute(select(tables.users.c.username)).scalars().all() == winners


def test_of_two_who_finish_at_once_one_wins(platform: Platform, race: Race, told_before: Told) -> None:
    root = administrator(platform)
    with transaction(platform.engine) as tx:
        setup.choose(tx, platform.ledger, root, telemetry=True, local_analytics=True)

    def finish() -> str:
        with transaction(platform.engine) as tx:
            setup.finish(tx, platform.ledger, root, telemetry=False, local_analytics=True)
        return "finished"

    found = race(finish, finish, finish)
    assert found.count("finished") == 1
    assert [error.code for error in found if isinstance(error, SetupFinished)] == ["setup_finished"] * 2
    assert [name for name, _, _ in told_before.events()].count("set-up finished") == 1


def test_what_is_no_choice_is_not_stored(platform: Platform) -> None:
    root = administrator(platform)
    with transaction(platform.engine) as tx:
        setup.choose(tx, platform.ledger, root, telemetry=None, local_analytics=True)
        assert settings.read(tx) == settings.Settings(None, True, None)
        setup.choose(tx, platform.ledger, root, telemetry=False, local_analytics=None)
        assert settings.read(tx) == settings.Settings(False, True, None)


# -- settings


def test_nobody_has_chosen_yet(platform: Platform) -> None:
    with reading(platform.engine) as tx:
        assert settings.read(tx) == settings.Settings(None, None, None)


def test_changing_a_setting(platform: Platform, cast: Cast, told: Told) -> None:
    with transaction(platform.engine) as tx:
        after = settings.change(
            tx, platform.ledger, cast.root, {"telemetry:enabled": False, "local_analytics": True, "user:signup": True}
        )
    assert after == settings.Settings(False, True, True)
    assert [after.chosen(key) for key in settings.KEYS] == [False, True, True]
    who = cast.root.subject.distinct_id
    assert told.events() == [
        ("setting changed", who, {"setting": "telemetry:enabled"}),
        ("setting changed", who, {"setting": "user:signup"}),
    ]
    assert told.audit() == [
        ("root", "setting changed", None, "telemetry:enabled: off"),
        ("root", "setting changed", None, "user:signup: on"),
    ]


@pytest.mark.parametrize(
    "values",
    [
        {"telemetry:enabled": "false"},
        {"telemetry:enabled": 0},
        {"telemetry:enabled": None},
        {"telemetry": False},
        {"": False},
        {"user:signup": True, "unknown": True},
    ],
)
def test_what_is_no_setting_changes_nothing(
    platform: Platform, cast: Cast, told: Told, values: dict[str, object]
) -> None:
    with transaction(platform.engine) as tx:
        before = settings.read(tx)
        with pytest.raises(InvalidInput) as refused:
            settings.change(tx, platform.ledger, cast.root, values)
        assert settings.read(tx) == before
    assert set(refused.value.fields) == set(values) - {"user:signup"}
    assert told.audit() == []


def test_only_administrators_change_settings(platform: Platform, cast: Cast) -> None:
    with pytest.raises(Forbidden), transaction(platform.engine) as tx:
        settings.change(tx, platform.ledger, cast.alice, {"user:signup": True})


@pytest.mark.parametrize("text", ["yes", "1", "True", "", " true", "\N{SPIDER}"])
def test_text_that_is_no_boolean_counts_as_off(platform: Platform, text: str, caplog: pytest.LogCaptureFixture) -> None:
    with transaction(platform.engine) as tx:
        tx.execute(
            insert(tables.settings).values(key="telemetry:enabled", value=text, updated_at=platform.ledger.now())
        )
        found = settings.read(tx)
    warning = f"The setting telemetry:enabled holds {text!r}, which is neither true nor false; it counts as off."
    assert found == settings.Settings(False, None, None, (warning,))
    assert [record.getMessage() for record in caplog.records] == [warning]


def test_settings_are_read_in_one_query(platform: Platform, statements: Statements) -> None:
    with reading(platform.engine) as tx:
        statements.texts.clear()
        settings.read(tx)
    assert len(statements.texts) == 1


def test_the_same_setting_changed_twice_at_once(platform: Platform, cast: Cast, race: Race, told: Told) -> None:
    def change() -> bool | None:
        with transaction(platform.engine) as tx:
            return settings.change(tx, platform.ledger, cast.root, {"user:signup": True}).user_signup

    assert race(change, change, change) == [True, True, True]
    assert [name for name, _, _ in told.events()] == ["setting changed"]
