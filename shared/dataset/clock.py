"""The shop's clock: the last day that a step may know of, and the day on which the shop is open.

Needs the standard library alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, timedelta
from pathlib import Path

from shared.dataset.shop import read_shop
from shared.errors import IntegrityError, UsageError
from shared.places import write_atomically

# What version 0.1.0 called the same file.
OLD_NAME = "today"
# True where somebody has said that days may be asked for which the shop has not reached.
AHEAD: ContextVar[bool] = ContextVar("AHEAD", default=False)


def clock_file(shop: Path) -> Path:
    """The path of the file that holds the day that the shop has reached."""
    return shop / "known_through"


def known_through(shop: Path) -> date:
    """The last day that a step may know of when nobody names one.

    A replayed season writes the day that it has reached, as does who prepared a feed whose last day is not whole;
    without that it is the shop's last day. Raises IntegrityError for a file that holds no day.
    """
    file = next((file for file in (clock_file(shop), shop / OLD_NAME) if file.exists()), None)
    try:
        return date.fromisoformat(file.read_text().strip() if file else max(read_shop(shop)["days"]))
    except ValueError as error:
        raise IntegrityError(f"{file} does not hold a day: {error}", fix=f"Remove {file}.") from error


def open_day(shop: Path) -> date:
    """The day on which the shop is open: the one after the last that is known."""
    return known_through(shop) + timedelta(days=1)


def set_known_through(shop: Path, day: date) -> None:
    """Record the day that the shop has reached."""
    write_atomically(clock_file(shop), f"{day.isoformat()}\n".encode())
    (shop / OLD_NAME).unlink(missing_ok=True)


def require_known_day(shop: Path, day: date) -> None:
    """Refuse a day that the shop has not reached, unless somebody goes ahead of it. No shop, no bound."""
    if AHEAD.get() or not (shop / "shop.json").exists():
        return
    reached = known_through(shop)
    if day > reached:
        raise UsageError(
            f"{day} is after {reached}, the last day that the shop has reached.",
            fix=f"Pass --as-of {reached} or before; `mlops --ahead` goes beyond it.",
        )


@contextmanager
def going_ahead() -> Iterator[None]:
    """Let days be asked for that the shop has not reached, for as long as the block runs."""
    token = AHEAD.set(True)
    try:
        yield
    finally:
        AHEAD.reset(token)
