"""Level 4: what level 3 lacks: the loop that watches, decides, retrains, shadows and promotes."""
