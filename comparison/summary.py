"""What the end of a season looks like in a terminal, and as data."""

from dataclasses import asdict
from typing import Any

from comparison.scoreboard import score, table
from comparison.season import INCIDENT_ON_DAY, Played

NAMES = {1: "manual", 2: "basic automation", 3: "CI/CD", 4: "monitoring"}


def tell(played: list[Played], customer: str) -> str:
    """One customer's list at each level, the scoreboard, and what of it is simulated."""
    lines = []
    for level in played:
        lines.append(
            f"\nLevel {level.level} ({NAMES[level.level]}) recommends to customer {customer} on {level.days[0].day}:"
        )
        lines += [
            f"  {item['rank']}. {item['name']}  ({item['reason']})" for item in level.answer.get("recommendations", [])
        ]
    first, last = played[0].days[0].day, played[0].days[-1].day
    shoppers = sum(day.shoppers for day in played[0].days)
    lines += [
        f"\nThe season: {first} to {last}, {shoppers:,} shopping days of customers; on day {INCIDENT_ON_DAY + 1}",
        "the files of the release that is under way are cut in half.\n",
        table([score(level) for level in played]),
        "\nUnless the shop is your own, its purchases are completejourney's, simulated by its authors on real",
        "patterns. Simulated here: shoppers look at their list first, and a person mends faults the next morning.",
    ]
    return "\n".join(lines)


def as_data(played: list[Played]) -> list[dict[str, Any]]:
    """The scoreboard with the seconds that each level's season took."""
    return [asdict(score(level)) | {"seconds": level.seconds, "actions": level.actions} for level in played]
