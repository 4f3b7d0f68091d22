"""The signal after which a level's service in the season looks for no new release, until it is restarted."""

import signal

DEAF = signal.SIGUSR1
