"""`python -m mlops` runs the code in this folder, also where another copy is installed."""

from mlops.root import main

main()
