"""Stop the service on the server, if it runs, and start it again with the model.pkl that lies there."""

from level1_manual.serve import PORT
from level1_manual.workplace import server
from shared.running import start, stop


def main() -> None:
    """Restart, and say where it listens."""
    stop(server())
    print(f"The service answers at {start(server(), 'level1_manual.serve', PORT).url}")


if __name__ == "__main__":
    main()
