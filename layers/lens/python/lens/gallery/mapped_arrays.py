"""Mapped arrays: those of .npy and .npz files, as views of the files' bytes."""

from __future__ import annotations

import math
import zipfile
from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LOCAL_HEADER = 30  # bytes of a zip member's own header, before its name
_START = 10  # bytes of an array's, before its text, whose length is in the last two


def arrays_in(data: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """The arrays of an uncompressed .npz by name, as views of its bytes.

    Numbers whose place in the file is not aligned are copied. ValueError or BadZipFile when it is
    something else.
    """
    arrays = {}
    with zipfile.ZipFile(_Bytes(data)) as archive:
        for member in archive.infolist():
            if member.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"{member.filename} is compressed")
            header = data[member.header_offset :][:_LOCAL_HEADER].tobytes()
            name, extra = (int.from_bytes(header[i : i + 2], "little") for i in (26, 28))
            start = member.header_offset + _LOCAL_HEADER + name + extra
            content = data[start : start + member.file_size]
            arrays[member.filename.removesuffix(".npy")] = array_in(content)
    return arrays


def checked_arrays_in(data: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz by name, read-only, each checked by the zip's own sum. ValueError,
    BadZipFile and others when it is something else."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {
            member.filename.removesuffix(".npy"): array_in(
                np.frombuffer(archive.read(member), np.uint8)
            )
            for member in archive.infolist()
        }


def array_in(data: NDArray[np.uint8]) -> NDArray[Any]:
    """The array of a .npy file, as a view of its bytes; ValueError when it is none."""
    length = _START + int.from_bytes(data[_START - 2 : _START].tobytes(), "little")
    shape, dtype = _header(data[:length].tobytes())
    array: NDArray[Any] = np.frombuffer(data, dtype, math.prod(shape), length).reshape(shape)
    return array if array.flags.aligned else array.copy()


# A gallery's files have the same few headers again and again, and NumPy parses each as Python.
@lru_cache(maxsize=1024)
def _header(text: bytes) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type."""
    start = BytesIO(text)
    if np.lib.format.read_magic(start) != (1, 0):
        raise ValueError("not an array of this format")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(start)
    if fortran or dtype.hasobject:
        raise ValueError("not an array that this project writes")
    return shape, dtype


class _Bytes:
    """Reads from mapped bytes without copying them all, as far as `zipfile` needs it."""

    def __init__(self, data: NDArray[np.uint8]) -> None:
        self._data = data
        self._at = 0

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._at = offset + (0, self._at, len(self._data))[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        stop = len(self._data) if size is None or size < 0 else self._at + size
        found = self._data[self._at : stop].tobytes()
        self._at += len(found)
        return found
