"""Level 2: one command, one config file, one folder per run. Whatever was trained is deployed."""

STANDS_IN = {
    "rollback": "deploying an older release again: `mlops --level 2 deploy model --version 1.0`",
    "history": "the folders below runs/ say what was trained, the pointer says what is live now; nobody kept the past",
    "servers": "nothing: level 2 uses no server but its service (`mlops --level 2 serve`)",
    "monitor": "the service's log (var/level2/service.log), if somebody reads it",
}
