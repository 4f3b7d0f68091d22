"""A shop's own export becomes a feed."""
