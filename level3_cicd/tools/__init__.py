"""All that speaks to MLflow, Prefect, Evidently or GitHub."""
