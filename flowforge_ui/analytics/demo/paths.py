"""How people walk through the pages: for each route, where to next and how long it is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

LEFT = ""  # "the session ends here"


@dataclass(frozen=True)
class Habit:
    """A page's habit: median engaged time in seconds, median load in milliseconds, weights of what comes next."""

    engaged_s: float
    load_ms: float
    following: tuple[tuple[str, int], ...]


HABITS: dict[str, Habit] = {
    "home": Habit(9, 120, (("team", 34), ("project", 30), ("team_create", 1), ("account", 3), (LEFT, 12))),
    "team": Habit(8, 130, (("team_projects", 30), ("project", 30), ("team_members", 9), ("home", 10), (LEFT, 8))),
    "team_projects": Habit(10, 170, (("project", 58), ("project_create", 7), ("team", 12), ("home", 6), (LEFT, 12))),
    "project": Habit(14, 160, (("project_flows", 52), ("project_settings", 8), ("team_projects", 14), (LEFT, 13))),
    "project_flows": Habit(95, 260, (("project", 34), ("project_settings", 7), ("team_projects", 8), (LEFT, 33))),
    "project_settings": Habit(21, 140, (("project", 58), ("team_projects", 12), (LEFT, 28))),
    "project_create": Habit(26, 110, (("project", 76), ("team_projects", 12), (LEFT, 12))),
    "team_members": Habit(17, 150, (("team", 44), ("team_settings", 12), ("home", 12), (LEFT, 30))),
    "team_settings": Habit(23, 130, (("team", 52), ("team_members", 16), (LEFT, 30))),
    "team_create": Habit(31, 110, (("team", 80), ("home", 14), (LEFT, 6))),
    "account": Habit(12, 110, (("account_security", 30), ("account_privacy", 22), ("home", 26), (LEFT, 20))),
    "account_security": Habit(24, 120, (("account", 36), ("home", 30), (LEFT, 32))),
    "account_privacy": Habit(33, 150, (("account", 30), ("home", 34), (LEFT, 34))),
    "admin": Habit(
        13, 180, (("admin_users", 34), ("admin_settings", 22), ("admin_telemetry", 20), ("home", 12), (LEFT, 12))
    ),
    "admin_users": Habit(29, 210, (("admin", 34), ("admin_settings", 14), ("home", 16), (LEFT, 34))),
    "admin_settings": Habit(26, 140, (("admin", 34), ("admin_telemetry", 20), ("home", 14), (LEFT, 30))),
    "admin_telemetry": Habit(
        38, 190, (("admin", 30), ("admin_ping", 10), ("admin_settings", 18), ("home", 16), (LEFT, 34))
    ),
    "admin_ping": Habit(34, 170, (("admin_telemetry", 44), ("home", 14), (LEFT, 40))),
    "insights": Habit(42, 310, (("insights_routes", 46), ("insights_live", 20), ("home", 10), (LEFT, 22))),
    "insights_routes": Habit(51, 330, (("insights", 34), ("insights_live", 14), ("home", 10), (LEFT, 40))),
    "insights_live": Habit(64, 220, (("insights", 30), ("insights_routes", 12), (LEFT, 56))),
    "login": Habit(11, 380, (("home", 1),)),
    "not_found": Habit(4, 100, (("home", 60), (LEFT, 40))),
}
# What only some may see hangs on the pages of everybody.
_PRIVILEGED: dict[str, dict[str, tuple[tuple[str, int], ...]]] = {
    "admin": {"home": (("admin", 26), ("insights", 8)), "account": (("admin", 10),)},
    "analyst": {"home": (("insights", 40),)},
}
_ENTRIES = (("home", 62), ("project", 13), ("team", 9), ("project_flows", 14), ("not_found", 2))
NEEDS_TEAM = frozenset(
    {"team", "team_projects", "project_create", "team_members", "team_settings", "project", "project_flows",
     "project_settings"}
)  # fmt: skip
NEEDS_PROJECT = frozenset({"project", "project_flows", "project_settings"})


def walk(random: Random, role: str) -> list[str]:
    """The routes of one session, from where it begins to where it ends."""
    route = _choose(random, _ENTRIES)
    path = [route]
    while len(path) < 40:
        following = HABITS[route].following + _PRIVILEGED.get(role, {}).get(route, ())
        route = _choose(random, following)
        if route == LEFT:
            break
        path.append(route)
    return path


def _choose(random: Random, weighted: tuple[tuple[str, int], ...]) -> str:
    return random.choices([name for name, _ in weighted], [weight for _, weight in weighted])[0]
