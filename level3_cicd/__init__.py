"""Level 3: a pipeline, a registry, a gate, deploy and rollback by CI/CD; a monitoring report by hand."""
