"""Stop the service on the server, if it runs, and start it with the model.pkl that lies there now.

Whether it comes up is not looked at: that is level 1.
"""

from level1_manual.serve import PORT
from level1_manual.workplace import server
from shared.program import run_program
from shared.service.process import launch_service, stop


def main() -> None:
    """Restart."""
    stop(server())
    running, _ = launch_service(server(), "level1_manual.serve", PORT)
    print(f"The service is started at {running.url}")


if __name__ == "__main__":
    run_program(main)
