"""Level 1: a person, a few scripts and a spreadsheet."""

STANDS_IN = {
    "pipeline": "a person works through level1_manual/RUNBOOK.md, step by step (`make level1` does as they would)",
    "deploy": "the person copies model.pkl to the server and restarts the service (RUNBOOK.md, steps 4 and 6)",
    "rollback": "the person looks for an older copy of model.pkl",
    "history": "the spreadsheet models.xlsx, as far as somebody kept it up to date",
    "servers": "nothing: level 1 uses no server but its service",
    "monitor": "a customer complains",
}
