"""The shop's days: taken in, checked, and read again."""
