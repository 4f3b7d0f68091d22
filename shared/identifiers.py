"""One definition of an identifier of a customer, product, basket or store: imports, checks and the service share it.

An identifier is a text of 1 to 128 characters that holds no control character: such a one cannot be typed, ends a
text in C (NUL), or steers a terminal (escape). Everything else is a character like any other: `007` is not `7`,
and `NA` is a code.
"""

import re

LONGEST_ID = 128
# C0, DEL and C1, as an expression that Python, Arrow, pydantic and JSON Schema read alike.
CONTROL = r"[\x00-\x1f\x7f-\x9f]"
IDENTIFIER = r"^[^\x00-\x1f\x7f-\x9f]+$"
_CONTROL = re.compile(CONTROL)


def fault(identifier: str) -> str:
    """The reason why a text is no identifier; empty if it is one.

    >>> fault("007"), fault(""), fault("a\\x00"), fault("x" * 129)
    ('', 'empty', 'control character', 'longer than 128 characters')
    """
    if not identifier:
        return "empty"
    if _CONTROL.search(identifier):
        return "control character"
    return f"longer than {LONGEST_ID} characters" if len(identifier) > LONGEST_ID else ""


def is_identifier(text: str) -> bool:
    """Whether a text can be an identifier."""
    return not fault(text)
