"""The teams by their level."""

from comparison.teams.level1 import Level1
from comparison.teams.level2 import Level2
from comparison.teams.level3 import Level3
from comparison.teams.level4 import Level4
from comparison.teams.team import Team

TEAMS: dict[int, type[Team]] = {kind.level: kind for kind in (Level1, Level2, Level3, Level4)}
