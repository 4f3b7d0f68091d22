"""What `make level1` and `make level3` play."""
