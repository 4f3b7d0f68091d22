"""Runs a main program: an error that an operator can meet is told in words, and its exit code is the program's."""

import os
import shutil
import sys
from collections.abc import Callable

from shared.errors import MlopsError
from shared.identity import know_home
from shared.places import home
from shared.surroundings import require_own_code, settle
from shared.text import printable

LOOK_AT_DISK = "  To fix: look at the file or folder named, and the space left on its disk."


def run_program(main: Callable[[], object]) -> None:
    """Run a main program. An error that an operator can meet is told on stderr, and its exit code is the program's."""
    settle()
    try:
        require_own_code()
        told = know_home(home())
        if told:
            sys.stderr.write(f"{told}\n")
        main()
        sys.stdout.flush()
    except SystemExit as ended:
        end("", ended.code)
    except MlopsError as error:
        end(f"Error: {error}\n", error.exit_code)
    except BrokenPipeError:
        leave_the_pipe()
    except shutil.Error as error:  # of many files: the first will do
        end(f"Error: {error.args[0][0][2]}\n{LOOK_AT_DISK}\n", 1)
    except OSError as error:
        end(f"Error: {error}\n{LOOK_AT_DISK}\n", 1)
    except KeyboardInterrupt:
        end("\nStopped; what was done so far stays.\n", 130)


def end(told: str, code: "str | int | None") -> None:
    """End the program with an exit code, and tell why to whoever still reads."""
    try:
        sys.stdout.flush()
        sys.stderr.write(printable(told))
        sys.stderr.flush()
    except OSError:
        leave_the_pipe(code)
    sys.exit(code)


def leave_the_pipe(code: "str | int | None" = 0) -> None:
    """End quietly: who read our output has gone, as `head` does, and wants no more of it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    sys.exit(code)
