"""Checkpoints: arrays by offset and stride, damage noticed, code refused."""

import os
import pickle
import struct
import sys
from io import BytesIO
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lens.default_model.torch_checkpoint import parse_checkpoint
from lens.errors import ArtifactError

Array = NDArray[Any]


class Tensor:
    """Pickles as torch pickles a tensor: a call of _rebuild_tensor_v2 on a storage."""

    def __init__(
        self, storage: "Storage", offset: int, size: tuple[int, ...], stride: tuple[int, ...]
    ):
        self.arguments = (storage, offset, size, stride, False, None)

    def __reduce__(self) -> Any:
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


class Storage:
    def __init__(self, key: str, kind: str, values: Array):
        self.key, self.kind, self.values = key, kind, values


@pytest.fixture
def torch_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names to pickle by, without torch: only their module and name are written."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    for kind in ("FloatStorage", "LongStorage"):
        setattr(torch, kind, type(kind, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2() -> None: ...

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)


def checkpoint(tensors: Any, storages: list[Storage], magic: int = 0x1950A86A20F9469CFC6C) -> bytes:
    class Pickler(pickle.Pickler):
        def persistent_id(self, thing: Any) -> Any:
            if not isinstance(thing, Storage):
                return None
            kind = getattr(sys.modules["torch"], thing.kind)
            return "storage", kind, thing.key, "cpu", len(thing.values), None

    stream = BytesIO()
    for part in (magic, 1001, {"little_endian": True}, tensors, [s.key for s in storages]):
        Pickler(stream, 2).dump(part)
    for storage in storages:
        stream.write(struct.pack("<q", len(storage.values)) + storage.values.tobytes())
    return stream.getvalue()


@pytest.mark.usefixtures("torch_names")
def test_a_checkpoint_gives_its_arrays_by_offset_and_stride() -> None:
    floats = Storage("7", "FloatStorage", np.arange(12, dtype="<f4"))
    counts = Storage("3", "LongStorage", np.array([42], "<i8"))
    arrays = parse_checkpoint(
        checkpoint(
            {
                "plain": Tensor(floats, 0, (3, 4), (4, 1)),
                "transposed": Tensor(floats, 0, (4, 3), (1, 4)),
                "later": Tensor(floats, 5, (2,), (1,)),
                "count": Tensor(counts, 0, (), ()),
            },
            [counts, floats],
        )
    )
    plain = np.arange(12).reshape(3, 4)
    np.testing.assert_array_equal(arrays["plain"], plain)
    np.testing.assert_array_equal(arrays["transposed"], plain.T)
    np.testing.assert_array_equal(arrays["later"], [5, 6])
    assert arrays["count"] == 42


@pytest.mark.usefixtures("torch_names")
def test_a_tensor_outside_its_storage_is_refused() -> None:
    floats = Storage("7", "FloatStorage", np.arange(12, dtype="<f4"))
    for tensor in (Tensor(floats, 8, (5,), (1,)), Tensor(floats, 0, (4, 4), (4, 1))):
        with pytest.raises(ArtifactError, match="damaged"):
            parse_checkpoint(checkpoint({"x": tensor}, [floats]))


@pytest.mark.usefixtures("torch_names")
def test_a_damaged_checkpoint_is_refused() -> None:
    floats = Storage("7", "FloatStorage", np.arange(12, dtype="<f4"))
    tensors = {"x": Tensor(floats, 0, (12,), (1,))}
    whole = checkpoint(tensors, [floats])
    assert parse_checkpoint(whole)["x"].shape == (12,)
    for damaged in (
        b"",
        whole[:40],
        whole[:-1],
        whole[:-60],
        checkpoint(tensors, [floats], magic=1),
    ):
        with pytest.raises(ArtifactError, match="install its package again"):
            parse_checkpoint(damaged)


class Evil:
    def __reduce__(self) -> Any:
        return os.mkdir, ("evil-was-here",)


@pytest.mark.usefixtures("torch_names")
def test_a_checkpoint_that_would_run_code_is_refused(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArtifactError, match="mkdir"):
        parse_checkpoint(checkpoint({"x": Evil()}, []))
    assert not list(tmp_path.iterdir())
