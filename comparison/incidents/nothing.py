"""The control: a drill in which nothing happens equals the quiet days to the bit."""

from comparison.incidents.incident import Incident


class Nothing(Incident):
    """Nothing happens. Whatever is signalled or done is a false alarm, or needless."""
