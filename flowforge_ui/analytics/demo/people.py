"""Who uses the made-up platform: teams in several time zones that start and grow, and people with habits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from random import Random

_T = TypeVar("_T")
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_ZONES = ((-8, 6), (-6, 8), (-5, 12), (0, 14), (1, 40), (2, 8), (5, 5), (8, 4), (9, 3))  # hours from UTC, weight
_STARTING = 0.3  # of the teams, the share that begins within the month
_ROLES = (("user", 93), ("analyst", 5), ("admin", 2))
# How likely somebody comes on a working day, and how many of them there are.
_HABITS = ((0.88, 16), (0.55, 30), (0.2, 34), (0.1, 20))
_DEVICES = (
    (("Chrome", 148, "Windows", "Desktop", 1920, 1080), 34),
    (("Microsoft Edge", 148, "Windows", "Desktop", 1920, 1200), 18),
    (("Chrome", 148, "Mac OS X", "Desktop", 1728, 1117), 14),
    (("Firefox", 146, "Linux", "Desktop", 2560, 1440), 10),
    (("Firefox", 146, "Windows", "Desktop", 1536, 864), 7),
    (("Safari", 26, "Mac OS X", "Desktop", 1512, 982), 9),
    (("Mobile Safari", 26, "iOS", "Mobile", 393, 852), 5),
    (("Chrome", 148, "Android", "Mobile", 412, 915), 3),
)
_LANGUAGES = (("en-US", 34), ("de-DE", 30), ("en-GB", 16), ("fr-FR", 8), ("ja-JP", 4), ("pt-BR", 8))


@dataclass
class Team:
    """A team; `begins` is the day of the month (from 0) it is created on, below 0 if it was there before."""

    pseudonym: str
    zone: int
    begins: int
    projects: list[str]


@dataclass(frozen=True)
class Person:
    """Somebody with habits. They come from day `joins` on, stay away from `leaves` and come back on `returns`."""

    pseudonym: str
    team: Team
    role: str
    habit: float
    joins: int
    leaves: int
    returns: int
    device: tuple[str, int, str, str, int, int]
    language: str

    def here(self, day: int) -> bool:
        return self.joins <= day and not self.leaves <= day < self.returns


def pick(random: Random, weighted: tuple[tuple[_T, int], ...]) -> _T:
    return random.choices([value for value, _ in weighted], [weight for _, weight in weighted])[0]


def pseudonym(random: Random, prefix: str) -> str:
    """The shape of a real one: the prefix and 26 letters of base 32."""
    return prefix + "".join(random.choices(_BASE32, k=26))


def make_teams(random: Random, count: int, days: int) -> list[Team]:
    """Most of them old, some begun during the month, spread over the world."""
    starting = round(count * _STARTING)
    begins = [-1] * (count - starting) + [random.randrange(1, max(2, days - 3)) for _ in range(starting)]
    return [
        Team(
            pseudonym(random, "t_"),
            pick(random, _ZONES),
            begin,
            [pseudonym(random, "p_") for _ in range(_some(random))],
        )
        for begin in begins
    ]


def make_people(random: Random, teams: list[Team], count: int, days: int) -> list[Person]:
    """A few large teams, many small ones; at least three people in each."""
    sizes = [1 / (rank + 3) for rank in range(len(teams))]
    ranked = random.sample(teams, len(teams))
    members = [team for team in teams for _ in range(3)][:count]
    members += random.choices(ranked, sizes, k=count - len(members))
    return [_person(random, team, days) for team in members]


def _person(random: Random, team: Team, days: int) -> Person:
    joins = -1 if team.begins < 0 and random.random() < 0.82 else max(0, team.begins) + int(random.expovariate(1 / 6))
    leaves = returns = days + 1
    if random.random() < 0.16:
        leaves = max(joins, 0) + random.randrange(2, days)
        returns = leaves + random.randrange(7, 30)
    return Person(
        pseudonym=pseudonym(random, "u_"),
        team=team,
        role=pick(random, _ROLES),
        habit=min(0.97, pick(random, _HABITS) * random.uniform(0.8, 1.2)),
        joins=joins,
        leaves=leaves,
        returns=returns,
        device=pick(random, _DEVICES),
        language=pick(random, _LANGUAGES),
    )


def _some(random: Random) -> int:
    return 1 + int(random.expovariate(1 / 5))
