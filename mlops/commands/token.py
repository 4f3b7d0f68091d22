"""`mlops token`: the level's token, which who asks from another machine needs, and who posts purchases."""

import click

from mlops.levels import folder


@click.command()
@click.option("--rotate", "anew", is_flag=True, help="Make a new one: the one before counts no more.")
@click.pass_obj
def token(level: int, anew: bool) -> None:
    """Print the level's token, made now if there is none: `curl -H "Authorization: Bearer $(mlops token)" ...`."""
    from shared.errors import MlopsError
    from shared.service.token import rotate, token_file, token_of

    found = rotate(folder(level)) if anew else token_of(folder(level))
    if not found:
        raise MlopsError(f"{token_file(folder(level))} cannot be written.", fix="Look at that folder, and its disk.")
    click.echo(found)
