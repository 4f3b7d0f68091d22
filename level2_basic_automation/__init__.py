"""Level 2: one command, one config file, one folder per run. Whatever was trained is deployed."""
