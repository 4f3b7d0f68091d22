"""What goes wrong in a season, one file each. An incident knows no level and no team."""
