"""The incidents by their names. A new one is a file beside this one, and a line here."""

from datetime import date, timedelta
from difflib import get_close_matches

from comparison.incidents.cut_bundle import CutBundle
from comparison.incidents.deaf_service import DeafService
from comparison.incidents.incident import SOLD_WITHIN, Incident
from comparison.incidents.new_assortment import NewAssortment
from comparison.incidents.nothing import Nothing
from comparison.incidents.reissued_cards import ReissuedCards
from comparison.incidents.renumbered_cards import RenumberedCards
from comparison.incidents.renumbered_products import RenumberedProducts
from comparison.incidents.typo import Typo
from shared.dataset.feed import Feed
from shared.errors import UsageError

INCIDENTS: tuple[type[Incident], ...] = (
    Nothing,
    CutBundle,
    Typo,
    DeafService,
    RenumberedProducts,
    NewAssortment,
    ReissuedCards,
    RenumberedCards,
)


def kind_of(name: str) -> type[Incident]:
    """The incident of that name. Raises UsageError, naming those that there are."""
    known = {kind.name: kind for kind in INCIDENTS}
    if name not in known:
        near = get_close_matches(name, known, n=1)
        raise UsageError(
            f"There is no incident {name!r}.",
            fix=(f"Did you mean {near[0]}? " if near else "") + f"There are: {', '.join(known)}.",
        )
    return known[name]


def windows() -> list[int]:
    """The lengths of windows that there are, in days."""
    return sorted({kind.days for kind in INCIDENTS})


def make(name: str, strike: date, feed: Feed) -> Incident:
    """An incident that strikes on a day; one that changes the world learns what was bought before."""
    incident = kind_of(name)(strike)
    if incident.change:
        before = strike - timedelta(days=1)
        incident.learn(feed.between(before - SOLD_WITHIN + timedelta(days=1), before))
    return incident
