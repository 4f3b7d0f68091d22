"""Words for people, and text that was written by others, made fit to be shown to them."""

import re

LONGEST_NAME = 200
# Control characters (terminal escapes begin with one), and those that turn the direction of what follows.
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+")
KEPT_LINES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")


def one_line(text: str, longest: int = LONGEST_NAME) -> str:
    """A text on one line, without characters that steer a terminal, and no longer than it may be.

    >>> one_line("Tea\\x1b[31m\\nred"), one_line("x" * 300, 5)
    ('Tea [31m red', 'xxxx…')
    """
    shown = " ".join(UNSEEN.sub(" ", text[: 4 * longest]).split())
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def printable(text: str) -> str:
    """A text of several lines for a terminal: what would steer it is shown as a replacement character."""
    return KEPT_LINES.sub("\ufffd", text)


def for_terminals(json: str) -> str:
    """JSON in which no character steers a terminal: those beyond ASCII's control characters are escaped, too.

    >>> for_terminals('{"name": "\x9b2J"}')
    '{"name": "\\\\u009b2J"}'
    """
    return re.sub("[\x7f-\x9f]", lambda found: f"\\u{ord(found[0]):04x}", json)


def listed(names: list[str], most: int = 30) -> str:
    """Names in a sentence, none of them too long, and not too many.

    >>> listed(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    shown = ", ".join(one_line(name, 60) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def count(number: int, noun: str) -> str:
    """
    >>> count(1, "day"), count(2, "day")
    ('1 day', '2 days')
    """
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"
