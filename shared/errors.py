"""The errors that an operator can meet, each with the exit code that the command line ends with.

MlopsError            1  something failed
├── UsageError        2  the command cannot be carried out as asked
├── CheckFailed       3  a check said no: bad data, or the gate
├── IntegrityError    4  files are not what their hashes say
├── DependencyDown    5  a service that this step needs does not answer
│   └── Refused       2  it does, but not to this question
├── Locked            6  somebody else is doing this at the moment
└── RolledBack        7  the change was made, found wanting and undone
"""


class MlopsError(Exception):
    """What went wrong, why, and how to mend it, in words for the operator."""

    exit_code = 1

    def __init__(self, what: str, fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what}\n  To fix: {self.fix}" if self.fix else self.what


class UsageError(MlopsError):
    """The command cannot be carried out as asked."""

    exit_code = 2


class CheckFailed(MlopsError):
    """A check said no: bad data, or the gate."""

    exit_code = 3


class IntegrityError(MlopsError):
    """Files are not what their hashes say."""

    exit_code = 4


class DependencyDown(MlopsError):
    """A service that this step needs does not answer."""

    exit_code = 5


class Refused(DependencyDown):
    """A service answered that it was asked for what cannot be: the question is wrong, and nothing is down."""

    exit_code = UsageError.exit_code


class Locked(MlopsError):
    """Somebody else is doing this at the moment."""

    exit_code = 6


class RolledBack(MlopsError):
    """The change was made, found wanting and undone."""

    exit_code = 7
