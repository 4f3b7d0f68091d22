"""Reads a Parquet file as an export: its values keep Arrow's types until they are read as what they stand for."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from shared.importing.exports import CHUNK, Chunk, Export, broken_lines, damage, header_names


def open_parquet(path: Path) -> Export:
    """A Parquet file."""
    with damage(path):
        file = pq.ParquetFile(path)
        schema, rows = file.schema_arrow, file.metadata.num_rows
    columns = header_names(schema.names)
    nested = frozenset(name for name, kind in zip(columns, schema.types, strict=True) if pa.types.is_nested(kind))
    return Export(path, columns, rows // CHUNK + 1, partial(read_rows, path, len(columns)), nested=nested)


def read_rows(path: Path, width: int) -> Iterator[Chunk]:
    """The rows, chunk by chunk; the first one has number 1."""
    first, names = 1, [str(place) for place in range(width)]
    with damage(path), pq.ParquetFile(path) as file:
        for batch in file.iter_batches(CHUNK):
            table = pa.Table.from_arrays(batch.columns, names=names)
            yield Chunk(table, np.arange(first, first + len(table)), broken_lines({}, width))
            first += len(table)
