"""README's table of the workflow's words by level is what the levels' folders hold."""

import pytest

from mlops.levels import PACKAGES, module_name, stand_in, workflow
from shared.places import CHECKOUT

WORDS = [
    "prepare",
    "validate",
    "train",
    "evaluate",
    "gate",
    "register",
    "deploy",
    "rollback",
    "serve",
    "monitor",
    "retrain",
]
# The file that holds a word which has none of its own name.
IN = {"rollback": "deploy"}


def cell(word: str, level: int) -> str:
    """A link to the level's file, the level that it takes the word from, or what stands in for it."""
    instead = stand_in(level, word)
    if instead:
        return instead
    name = module_name(level, IN.get(word, word))
    assert name, f"level {level} has no file for {word!r}, and workflow.toml does not say what stands in for it"
    package, _, file = name.partition(".")
    if package != PACKAGES[level]:
        return "as level 3"
    return f"[{file}]({package}/{file}.py)"


def table() -> str:
    """The table as it must stand in README."""
    lines = ["| | level 1 | level 2 | level 3 | level 4 |", "|---|---|---|---|---|"]
    lines += [f"| {word} | {' | '.join(cell(word, level) for level in PACKAGES)} |" for word in WORDS]
    return "\n".join(lines)


def test_readme_has_the_table() -> None:
    assert table() in (CHECKOUT / "README.md").read_text(), f"README needs this table:\n{table()}"


@pytest.mark.parametrize("level", PACKAGES)
def test_what_stands_in_is_said_only_where_a_word_is_lacking(level: int) -> None:
    said = [word for word in WORDS if word not in IN and stand_in(level, word) and module_name(level, word)]
    assert said == []


def test_every_word_of_the_workflow_is_known() -> None:
    assert set(WORDS) <= set(workflow())
