"""Words for people."""


def count(number: int, noun: str) -> str:
    """
    >>> count(1, "day"), count(2, "day")
    ('1 day', '2 days')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
