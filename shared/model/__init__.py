"""What a good recommendation is: estimators, what they learn from, and how they are judged."""
