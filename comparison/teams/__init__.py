"""One level each: what its people and its schedule do on a day, by the level's own entry points.

A team is all that a level's process of the season loads beside the level: it knows no incident and no other day.
"""
