"""What a good recommendation is. Knows no maturity level and no MLOps tool."""
