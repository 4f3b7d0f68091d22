"""Plays level 1's story: the runbook is carried out as the person would, or by a participant.

`make level1` runs it.
"""

import argparse
from datetime import date

from level1_manual.runbook import Hands, Step, perform, shell
from level1_manual.workplace import server
from shared.errors import MlopsError
from shared.program import run_program
from shared.service.process import find, stop
from shared.service.waiting import wait_until
from shared.text import printable


def main() -> None:
    """Carry out the whole runbook and ask for one recommendation."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--as-of", type=date.fromisoformat, required=True)
    arguments.add_argument("--customer", default="1")
    arguments.add_argument("--hands-on", action="store_true", help="let a participant do each step")
    asked = arguments.parse_args()

    def show_and_type(step: Step, variables: dict[str, str]) -> int:
        print(f"\n[{step.number}] {step.title}\n    $ {step.command}", flush=True)
        return shell(step, variables)

    hands: Hands = show_and_type
    if asked.hands_on:
        from stories.level1_hands_on import wait_for_participant

        hands = wait_for_participant
    outcomes = list(perform(asked.as_of, hands))
    if outcomes[-1][1] == 0:
        wait_until(lambda: find(server()) is not None, seconds=60)
    running = find(server())
    if outcomes[-1][1] or not running:
        raise MlopsError(f"Step {outcomes[-1][0].number} failed.", fix="Read what it printed, and start again.")
    answer = running.recommend(asked.customer)
    stop(server())
    print(f"\n{len(outcomes)} manual actions. Customer {asked.customer} is now recommended:")
    for item in answer["recommendations"]:
        print(printable(f"  {item['rank']}. {item['name']}  ({item['reason']})"))
    print("The service is stopped again; `mlops --level 1 serve` starts it.")


if __name__ == "__main__":
    run_program(main)
