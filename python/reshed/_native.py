"""The libraries, and what every call of them shares: errors, Ctrl-C, arrays.

The declarations are those of the C headers: assemble.py makes the module _c from include/reshed.h
(and _rooms_c from src/python/rooms.h) when the package is built. Calls release the GIL.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from contextlib import contextmanager, nullcontext
from typing import Any, Callable, Iterator, Optional, Tuple

import numpy as np

from . import errors

try:
    from . import _c
except ImportError as e:
    raise ImportError(f"{os.path.dirname(os.path.abspath(__file__))} is the package's source: 'make python' "
                      "puts it together in build/gcc/python, and pip installs it") from e

ffi = _c.ffi
_here = os.path.dirname(os.path.abspath(__file__))


def library_path(name: str) -> str:
    """The file of a shared library: in $RESHED_LIBRARIES, else the package's own."""
    return os.path.join(os.environ.get("RESHED_LIBRARIES") or os.path.join(_here, "lib"), name)


def _open(ffi_of: Any, name: str) -> Any:
    path = library_path(name)
    # Python would unload the libraries at its end, before HDF5, which still calls back into them.
    stay = ffi_of.RTLD_NOW | getattr(ffi_of, "RTLD_NODELETE", 0)
    try:
        return ffi_of.dlopen(path, stay)
    except OSError as e:
        raise ImportError(f"{path}: {e}; 'make python' builds the package with its libraries") from e


lib = _open(ffi, f"libreshed.so.{_c.ABI}")
__version__: str = ffi.string(lib.reshed_version()).decode()
# Views are structs without a size: a library of another version might write beyond ours.
if __version__ != _c.VERSION or lib.reshed_abi() != _c.ABI:
    raise ImportError(f"{library_path('')}: libreshed {__version__} where this package was made "
                      f"for {_c.VERSION}")

_BY_STATUS = {getattr(lib, name): kind for name, kind in errors.BY_NAME.items()}
OK: int = lib.RESHED_OK
CANCELLED: int = lib.RESHED_ECANCELLED


# HDF5 takes one call at a time in a process: of ours, and of h5py's where that is loaded.
_files_lock = threading.RLock()
_running: Optional[int] = None  # the thread whose acquisition has the files until it ends
_left: "deque[Callable[[], None]]" = deque()


def h5py_lock() -> Any:
    """h5py's own, None where that is not loaded."""
    return getattr(getattr(sys.modules.get("h5py"), "_objects", None), "phil", None)


@contextmanager
def files(run: bool = False) -> Iterator[None]:
    """Around every call that has to do with HDF5. run: of an acquisition, which keeps the files to itself:
    what waited for it in a method of its driver would wait for ever, so others are refused meanwhile."""
    global _running
    me = threading.get_ident()
    while True:
        if _running is not None and (run or _running != me):
            raise errors.Error("an acquisition is under way: files can be opened when it has ended")
        if _files_lock.acquire(timeout=0.1):
            break
    try:
        if run:
            _running = me
        with h5py_lock() or nullcontext():
            if _running is None:
                _close_left()
            yield
    finally:
        if run:
            _running = None
        _files_lock.release()


def _close_left() -> None:
    while _left:
        _left.popleft()()


def close_later(close: "Callable[[], None]") -> None:
    """Closes a file of an object that nobody holds any more: now if that needs no waiting, else with the
    next call. A finalizer runs on any thread, also on one that an acquisition waits for."""
    _left.append(close)
    if not _files_lock.acquire(blocking=False):
        return
    try:
        other = h5py_lock()
        if _running is None and (other is None or other.acquire(False)):
            try:
                _close_left()
            finally:
                if other is not None:
                    other.release()
    finally:
        _files_lock.release()


class _Pending(threading.local):
    """What a callback has raised on this thread, until the call that it belongs to is back."""

    error: Optional[BaseException] = None


pending = _Pending()


def _keep(kind: Any, value: Any, traceback: Any) -> None:
    pending.error = value


def keeping(declaration: str, function: Any, on_error: Any = None, of: Any = None) -> Any:
    """A C callback; what it raises is raised by the call that led to it (raise_pending)."""
    return (of or ffi).callback(declaration, function, error=on_error, onerror=_keep)


def raise_pending() -> None:
    """Raises what a callback of the latest call on this thread has raised."""
    error, pending.error = pending.error, None
    if error is not None:
        raise error


# Asked by long calls on the thread that made them: in the main thread Python then looks for
# signals, and a KeyboardInterrupt ends the call.
cancel = keeping("int(void *)", lambda ctx: 0, 1)


def new_error() -> Any:
    return ffi.new("reshed_error *")


def _text(field: Any) -> str:
    return ffi.string(field).decode("utf-8", "replace")


def make_error(status: int, err: Any, path: Optional[str] = None) -> errors.Error:
    """The exception for a failed call. err: reshed_error *, of either library."""
    what, expected, found, where = (_text(f) for f in
                                    (err.what, err.expected, err.found, err.where))
    detail = "; ".join(x for x in (expected and f"expected {expected}",
                                   found and f"found {found}") if x)
    text = (what or _text(lib.reshed_status_text(status))) + (f" ({detail})" if detail else "")
    text += f" at {where}" if where else ""
    if path:
        text = f"{path}: {text}"
    return _BY_STATUS.get(status, errors.InternalError)(text, what, expected, found, where, path)


def check(status: int, err: Any, path: Optional[str] = None) -> None:
    """Raises the exception for a call that has failed."""
    if status == OK:
        pending.error = None
        return
    raise_pending()
    raise make_error(status, err, path)


def encode(path: "str | os.PathLike[str]") -> Tuple[str, bytes]:
    """A path for messages, and for C."""
    name = os.fspath(path)
    return os.fsdecode(name), os.fsencode(name)


def floats(array: np.ndarray, of: Any = None) -> Any:
    """float * of an array that is float32 and contiguous already; no copy."""
    assert array.dtype == np.float32 and array.flags.c_contiguous
    return (of or ffi).from_buffer("float[]", array)


def as_floats(data: Any) -> np.ndarray:
    """data as contiguous float32, without a copy where it is that already."""
    array = np.asarray(data)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"image: expected real numbers, found {array.dtype}")
    return np.ascontiguousarray(array, dtype=np.float32)


class _Memory:
    """C's memory as NumPy takes it; keeps the object alive that the memory belongs to."""

    def __init__(self, pointer: Any, shape: Tuple[int, ...], dtype: Any, owner: Any, of: Any):
        self.owner = owner
        self.__array_interface__ = {
            "shape": shape, "typestr": np.dtype(dtype).str, "version": 3,
            "data": (int(of.cast("uintptr_t", pointer)), True)}


def view(pointer: Any, shape: Tuple[int, ...], dtype: Any, owner: Any, of: Any = None) -> np.ndarray:
    """A read-only array of C's memory, which lives as long as it does. owner: who frees it."""
    return np.asarray(_Memory(pointer, shape, dtype, owner, of or ffi))
