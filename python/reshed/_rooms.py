"""libreshed_rooms: walls, spectra, twin, sessions, acquisitions (src/python/rooms.h). It is opened with
its first use, so that inference needs libreshed and nothing else."""

from __future__ import annotations

import threading
from typing import Any, Dict, List, Mapping, Optional, Tuple

import numpy as np

from . import _native as n
from . import _rooms_c
from .errors import InvalidArgument

ffi = _rooms_c.ffi
files = n.files
_lock = threading.Lock()
_opened: List[Any] = []


def lib() -> Any:
    """The library."""
    with _lock:
        if not _opened:
            library = n._open(ffi, "libreshed_rooms.so")
            try:
                made_of = ffi.string(library.rs_py_headers()).decode()
            except AttributeError:
                made_of = "of before they had a checksum"
            if made_of != _rooms_c.HEADERS:  # its functions may take other arguments
                raise ImportError(f"{n.library_path('libreshed_rooms.so')}: made of other headers ({made_of}) "
                                  f"than this package ({_rooms_c.HEADERS}); 'make python' builds both")
            _opened.append(library)
        return _opened[0]


def new_error() -> Any:
    return ffi.new("reshed_error *")


def check(status: int, err: Any, path: Optional[str] = None) -> None:
    """Raises the exception for a call that has failed."""
    n.check(int(status), err, path)


def made(out: Any, free: Any) -> Any:
    """What a `_create` gave, freed with its last reference."""
    return ffi.gc(out[0], free)


def settings(values: Mapping[str, Any], words: Mapping[str, Mapping[str, float]] = {}
             ) -> Tuple[Any, int, Any]:
    """rs_py_setting[n], n and what must outlive them. words: options that are given by a word."""
    names, numbers = [], []
    for name, value in values.items():
        if value is None:
            continue
        if isinstance(value, str):
            known = words.get(name, {})
            if value not in known:
                raise InvalidArgument(f"{name}: expected "
                                      f"{', '.join(known) or 'a number'}, found {value!r}")
            value = known[value]
        names.append(ffi.new("char[]", name.encode()))
        numbers.append(float(value))
    array = ffi.new("rs_py_setting[]", len(names))
    for i, (name, number) in enumerate(zip(names, numbers)):
        array[i].name, array[i].value = name, number
    return array, len(names), names


_SCALARS = {"double": np.float64, "float": np.float32, "int": np.int32, "int32_t": np.int32,
            "int64_t": np.int64, "uint32_t": np.uint32, "uint8_t": np.uint8}
_dtypes: Dict[str, np.dtype] = {}


def dtype(struct: str) -> np.dtype:
    """A C struct of numbers as NumPy has it."""
    if struct not in _dtypes:
        names, formats, offsets = [], [], []
        for name, field in ffi.typeof(struct).fields:
            item, shape = field.type, ()
            if item.kind == "array":
                item, shape = item.item, (item.length,)
            names.append(name)
            formats.append((_SCALARS[item.cname], shape))
            offsets.append(field.offset)
        _dtypes[struct] = np.dtype({"names": names, "formats": formats, "offsets": offsets,
                                    "itemsize": ffi.sizeof(struct)})
    return _dtypes[struct]


def view(pointer: Any, shape: Tuple[int, ...], kind: Any, owner: Any) -> np.ndarray:
    """A read-only array of C's memory, alive as long as it is."""
    if 0 in shape or pointer == ffi.NULL:
        return np.zeros(shape, kind)
    if isinstance(kind, np.dtype) and kind.names:
        raw = n.view(pointer, (int(np.prod(shape)) * kind.itemsize,), np.uint8, owner, ffi)
        return raw.view(kind).reshape(shape)
    return n.view(pointer, shape, kind, owner, ffi)


def bytes_of(data: Any, name: str, shape: Optional[Tuple[int, ...]] = None) -> np.ndarray:
    """A mask as contiguous uint8, 0 and 1."""
    array = np.asarray(data)
    if array.ndim != 2 or (shape is not None and array.shape != shape):
        raise InvalidArgument(f"{name}: expected {list(shape) if shape else '[H,W]'}, found "
                              f"{list(array.shape)}")
    if array.dtype == np.bool_:
        return np.ascontiguousarray(array).view(np.uint8)
    return np.ascontiguousarray(array != 0).view(np.uint8)


def floats_of(data: Any, name: str, shape: Optional[Tuple[int, ...]] = None) -> np.ndarray:
    """A map as contiguous float32, without a copy where it is that already."""
    array = n.as_floats(data)
    if (shape is None and array.ndim != 2) or (shape is not None and array.shape != shape):
        raise InvalidArgument(f"{name}: expected {list(shape) if shape else '[H,W]'}, found "
                              f"{list(array.shape)}")
    return array


def doubles_of(data: Any, name: str, shape: Optional[Tuple[int, ...]] = None) -> np.ndarray:
    """Numbers as contiguous float64."""
    array = np.asarray(data)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name}: expected real numbers, found {array.dtype}")
    array = np.ascontiguousarray(array, dtype=np.float64)
    if shape is not None and array.shape != shape:
        raise InvalidArgument(f"{name}: expected {list(shape)}, found {list(array.shape)}")
    return array


def pointer(kind: str, array: Optional[np.ndarray]) -> Any:
    """kind * of an array's memory; NULL for None."""
    return ffi.NULL if array is None else ffi.cast(f"{kind} *", array.ctypes.data)
