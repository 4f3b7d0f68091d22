"""Level 1: a person, a few scripts and a spreadsheet."""
