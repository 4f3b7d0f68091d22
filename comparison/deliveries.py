"""The one door for days: each morning the file of the day before lies in a level's own shop.

A level's shop holds what was delivered and nothing else. A file that no incident altered is another name of the
world's; one that is brought again has a name of its own, as `mlops data add` gives it.
"""

import os
import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa

from comparison.world import World
from shared.dataset.clock import set_known_through
from shared.dataset.day_files import SCHEMA
from shared.dataset.shop import file_of, read_shop
from shared.dataset.writing import write_day, write_record
from shared.places import link_or_copy


def open_shop(shop: Path, world: World, through: date) -> None:
    """A level's shop as it is before the season: the days through one of them, and the catalogue."""
    shutil.rmtree(shop, ignore_errors=True)
    (shop / "days").mkdir(parents=True)
    about = world.feed.about
    known = {day: entry for day, entry in about["days"].items() if day <= through.isoformat()}
    for day in known:
        name = file_of(about, date.fromisoformat(day))
        link_or_copy(str(world.feed.file(date.fromisoformat(day))), str(shop / "days" / name))
    link_or_copy(str(world.feed.catalogue_file), str(shop / "products.parquet"))
    # That a person imported so many days at once is not what a level in the season has seen.
    plain = {key: value for key, value in about.items() if key != "imported_through"}
    own = {"days": known, "catalogue": "products.parquet", "identity": world.feed.identity}
    write_record(shop, {**plain, **own})
    set_known_through(shop, through)


def deliver(shop: Path, world: World, day: date) -> str:
    """A day's file arrives, and the shop has reached that day; returns the digest of its rows, empty without one."""
    digest = put(shop, world, day)
    set_known_through(shop, day)
    return digest


def put(shop: Path, world: World, day: date) -> str:
    """Write a day's file beside the others, and name it in the shop's record. For a day without sales there is none."""
    about = read_shop(shop)
    rows = world.delivered(day)
    entry = world.feed.about["days"].get(day.isoformat())
    if rows is None and entry:
        name = file_of(world.feed.about, day)
        if not (shop / "days" / name).exists():
            link_or_copy(str(world.feed.file(day)), str(shop / "days" / name))
    elif rows is not None and len(rows):
        entry = write(shop / "days" / version(shop, day), rows)
    else:
        return ""
    write_record(shop, {**about, "days": dict(sorted({**about["days"], day.isoformat(): entry}.items()))})
    return str(entry["digest"])


def write(file: Path, rows: pd.DataFrame) -> dict:
    """Write an altered day's file; returns what the shop's record says of it."""
    part = file.with_name(f".{file.name}.{os.getpid()}")
    entry = write_day(part, as_written(rows))
    part.replace(file)
    return {**entry, "path": file.name}


def as_written(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows as the file will give them back, so that their digest is that of what is read."""
    return pa.Table.from_pandas(rows, SCHEMA, preserve_index=False).to_pandas()


def version(shop: Path, day: date) -> str:
    """The name of a day's next file: no file is ever written again."""
    number = len(list((shop / "days").glob(f"{day.isoformat()}*.parquet")))
    return f"{day.isoformat()}.{number + 1}.parquet"


def deliver_catalogue(shop: Path, products: pd.DataFrame, day: date) -> None:
    """Another catalogue arrives, under a name of its own."""
    name = f"products.{day.isoformat()}.parquet"
    products.to_parquet(shop / name, index=False)
    write_record(shop, {**read_shop(shop), "catalogue": name})
