"""Who answers customers: the app, the process that runs it, and its client."""
