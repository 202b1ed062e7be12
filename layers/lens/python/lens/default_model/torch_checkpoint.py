"""Torch's checkpoint files, read without torch by an unpickler that runs no code from them."""

import io
import pickle
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lens.errors import ArtifactError

Arrays = dict[str, NDArray[Any]]

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype[Any]
    length: int


class _Tensor(NamedTuple):
    """The arguments of torch._utils._rebuild_tensor_v2."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]
    requires_grad: bool
    hooks: Any


class _Unpickler(pickle.Unpickler):
    """Knows the four names a checkpoint needs; anything else could run code, and is refused."""

    _KNOWN = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
        ("torch", "FloatStorage"): np.dtype("<f4"),
        ("torch", "LongStorage"): np.dtype("<i8"),
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._KNOWN:
            raise ArtifactError(f"the checkpoint refers to {module}.{name}: do not use this file")
        return self._KNOWN[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        _, dtype, key, _, count, _ = pid
        return _Storage(key, dtype, count)


def parse_checkpoint(data: bytes) -> Arrays:
    """Return the arrays of a checkpoint in torch's format from before the zip (`_legacy_load` in
    torch/serialization.py): five pickles (magic number, version, system, tensors, storage keys),
    then each storage as an int64 count and its little-endian values. ArtifactError if damaged.
    """
    stream = io.BytesIO(data)
    try:
        magic, _, _, tensors, keys = (_Unpickler(stream).load() for _ in range(5))
        if magic != _LEGACY_MAGIC:
            raise ValueError("wrong magic number")
        storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
        values = {key: _read_values(stream, storages[key]) for key in keys}
        return {name: _as_array(tensor, values) for name, tensor in tensors.items()}
    except ArtifactError:
        raise
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise ArtifactError(
            f"the checkpoint is damaged ({error}): install its package again"
        ) from error


def _read_values(stream: io.BytesIO, storage: _Storage) -> NDArray[Any]:
    count = int.from_bytes(stream.read(8), "little")
    if count != storage.length:
        raise ValueError(f"storage {storage.key} has {count} values instead of {storage.length}")
    return np.frombuffer(stream.read(count * storage.dtype.itemsize), storage.dtype, count)


def _as_array(tensor: _Tensor, values: dict[str, NDArray[Any]]) -> NDArray[Any]:
    buffer = values[tensor.storage.key]
    step = buffer.itemsize
    strides = [stride * step for stride in tensor.stride]
    # Kernels lie in TensorFlow's order, so the strides matter; numpy checks them by the buffer.
    return np.ndarray(tensor.size, buffer.dtype, buffer, tensor.offset * step, strides)
