"""Small arrays as one file: an uncompressed npz whose every size is checked before memory is taken for it."""

import io
import zipfile

import numpy as np

from shared.errors import IntegrityError

LOCAL_HEADER = 30


def pack(arrays: dict[str, np.ndarray]) -> bytes:
    """Arrays as an uncompressed npz; the same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpack(content: bytes, where: str) -> dict[str, np.ndarray]:
    """The arrays of an npz. Raises IntegrityError for pickles, compression, overlaps and sizes that are not there."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            require_plain(archive, len(content))
            return {
                entry.filename.removesuffix(".npy"): read_array(archive.read(entry)) for entry in archive.infolist()
            }
    except (ValueError, TypeError, KeyError, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise IntegrityError(f"{where} is not a plain npz file: {error}") from error
    except (zipfile.BadZipFile, RecursionError, MemoryError, SyntaxError) as error:
        raise IntegrityError(f"{where} is not a plain npz file: {error}") from error


def require_plain(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse entries that are compressed, that lie over each other, or that are larger than the file."""
    names = [entry.filename for entry in archive.infolist()]
    if len(set(names)) != len(names):
        raise ValueError("two entries have the same name")
    end = 0
    for entry in sorted(archive.infolist(), key=lambda entry: entry.header_offset):
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise ValueError(f"{entry.filename[:80]} is compressed or claims an absurd size")
        if entry.header_offset < end:
            raise ValueError(f"{entry.filename[:80]} overlaps another entry")
        end = entry.header_offset + LOCAL_HEADER + len(entry.filename.encode()) + entry.file_size
        if end > size:
            raise ValueError(f"{entry.filename[:80]} claims an absurd size")


def read_array(content: bytes) -> np.ndarray:
    """The array of an npy file, as a copy; no more memory is taken than its bytes fill."""
    file = io.BytesIO(content)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("another version of the format")
    shape, by_columns, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype.hasobject:
        raise ValueError("it holds pickled objects")
    start = file.tell()
    if min(shape, default=0) < 0 or start + int(np.prod([dtype.itemsize, *shape], dtype=object)) != len(content):
        raise ValueError(f"an array of shape {str(shape)[:80]} is not what the bytes fill")
    return np.ndarray(shape, dtype, content, start, order="F" if by_columns else "C").copy()
