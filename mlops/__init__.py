"""The command line: one set of commands for all levels."""
