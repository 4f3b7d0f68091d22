"""How a release goes live and back. Needs no MLflow, Prefect or Evidently."""
