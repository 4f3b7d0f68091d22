"""One level each: what its people and its schedule do on a day."""
