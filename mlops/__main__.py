"""`python -m mlops` runs the code in this folder, also where another copy is installed."""

from mlops.cli import main

main()
