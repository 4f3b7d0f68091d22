"""One command group a file."""
