"""Inference while an image is being scanned: reshed_stream_* of include/reshed.h."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Callable, Dict, Optional

import numpy as np

from . import _native as n
from .errors import InvalidArgument
from .model import Norm, word
from .show import StreamShow

if TYPE_CHECKING:
    from .model import Model

ffi, lib = n.ffi, n.lib

UNSCANNED, PROVISIONAL, FINAL = (lib.RESHED_ROW_UNSCANNED, lib.RESHED_ROW_PROVISIONAL,
                                 lib.RESHED_ROW_FINAL)
_NORMS = {"robust": lib.RESHED_STREAM_ROBUST, "scanned": lib.RESHED_STREAM_SCANNED,
          "frame": lib.RESHED_STREAM_FRAME}
_FRONTS = {"zero": lib.RESHED_FRONT_ZERO, "reflect": lib.RESHED_FRONT_REFLECT}
_PREVIEWS = {"fp32": lib.RESHED_PREVIEW_FP32, "bf16": lib.RESHED_PREVIEW_BF16,
             "off": lib.RESHED_PREVIEW_OFF}


class Stream(StreamShow):
    """The map of an image that grows line by line.

    Parameters
    ----------
    model : Model
    height, width : int, >= 16
    norm : "robust", "scanned", "frame" or (lo, hi)
        What becomes 0 and 1: percentiles of the first lines; least and greatest value so far; the
        same of the whole canvas with 0 where nothing is scanned (as AtomAI has it); two numbers.
    front : "zero" or "reflect"
        What the network sees where nothing is scanned yet.
    preview : "fp32", "bf16" or "off"
        The arithmetic of provisional rows.
    budget : float
        Seconds that a push may take; 0: as long as it needs.
    threads : int
        0: all processors.
    on_final : callable, optional
        on_final(stream, rows), rows an int array, after each call that made rows final.

    ``mean``, ``variance`` and the like are read-only views of the stream's memory: they change with
    the next push; copy what is to stay. Streams are independent: threads may push to different
    ones at the same time.

    >>> with model.stream(256, 256) as s:
    ...     for row, line in lines:
    ...         s.push(row, line)
    ...     result = s.finish()
    """

    def __init__(self, model: "Model", height: int, width: int, *, norm: Norm = "robust",
                 front: str = "zero", preview: str = "fp32", budget: float = 0.0, threads: int = 0,
                 on_final: Optional[Callable[["Stream", np.ndarray], None]] = None):
        o = ffi.new("reshed_stream_options *")
        lib.reshed_stream_defaults(o)
        assert o.size == ffi.sizeof("reshed_stream_options")
        o.threads = threads
        if isinstance(norm, str):
            o.norm = word("norm", norm, _NORMS)
        else:
            o.norm = lib.RESHED_STREAM_FIXED
            o.lo, o.hi = norm
        o.front = word("front", front, _FRONTS)
        o.preview = word("preview", preview, _PREVIEWS)
        o.budget = budget
        out, err = ffi.new("reshed_stream **"), n.new_error()
        n.check(lib.reshed_stream_create(model._open(), height, width, o, out, err), err, model.path)
        self._handle = ffi.gc(out[0], lib.reshed_stream_free)
        self._lock = threading.Lock()
        self._on_final = on_final
        self._view = ffi.new("reshed_stream_view *")
        self._err = n.new_error()
        self._get()
        v = self._view
        self._width = v.width
        self.shape = (v.height, v.width)
        map_shape = self.shape + ((v.classes,) if v.classes > 1 else ())
        # Made once: a push allocates nothing, so that these places stay.
        self._arrays: Dict[str, np.ndarray] = {
            "mean": n.view(v.mean, map_shape, np.float32, self._handle),
            "variance": n.view(v.variance, map_shape, np.float32, self._handle),
            "members": n.view(v.member, (v.members,) + map_shape, np.float32, self._handle),
            "input": n.view(v.input, self.shape, np.float32, self._handle),
            "states": n.view(v.state, self.shape[:1], np.uint8, self._handle),
            "stale": n.view(v.stale, self.shape[:1], np.uint8, self._handle)}
        self._final = np.zeros(height, bool)

    def _get(self) -> None:
        lib.reshed_stream_get(self._open(), self._view)

    def _open(self) -> Any:
        if self._handle is None:
            raise ValueError("the stream is closed")
        return self._handle

    # ------------------------------------------------------------------------------------- work

    def _after(self) -> np.ndarray:
        """The rows that have become final. They are told of when the lock is free again: what is told may
        push."""
        self._get()
        final = self._arrays["states"] == FINAL
        rows = np.flatnonzero(final & ~self._final)
        self._final = final
        return rows

    def _tell(self, rows: np.ndarray) -> None:
        if self._on_final is not None and rows.size:
            self._on_final(self, rows)

    def push(self, row: int, data: Any) -> None:
        """Takes lines that have been scanned.

        Parameters
        ----------
        row : int
            Of the first of them: 0 is the +y edge, whichever way the scan runs.
        data : array [W] or [k,W]
            In the image's own unit. NaN is filled from the row; a row of NaN counts as missing.
        """
        data = n.as_floats(data)
        if data.ndim not in (1, 2) or data.shape[-1] != self._width:
            raise InvalidArgument(f"data: expected [{self._width}] or [k,{self._width}], found "
                                  f"{list(data.shape)}")
        count = 1 if data.ndim == 1 else data.shape[0]
        with self._lock:
            n.check(lib.reshed_stream_push(self._open(), row, count, n.floats(data), self._err),
                    self._err)
            rows = self._after()
        self._tell(rows)

    def work(self) -> None:
        """Goes on with what the budget has left over, without a new line."""
        with self._lock:
            n.check(lib.reshed_stream_work(self._open(), self._err), self._err)
            rows = self._after()
        self._tell(rows)

    def finish(self) -> "StreamResult":
        """Ends the frame: every row between scanned ones becomes final. Returns copies."""
        with self._lock:
            n.check(lib.reshed_stream_finish(self._open(), self._err), self._err)
            rows = self._after()
            result = StreamResult(self)
        self._tell(rows)
        return result

    def reset(self) -> None:
        """Begins a new frame of the same size."""
        with self._lock:
            lib.reshed_stream_reset(self._open())
            self._final[:] = False
            self._get()

    def close(self) -> None:
        """Gives the memory back, as soon as no view of it is left."""
        with self._lock:
            self._handle = None
            self._arrays.clear()

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()

    # ---------------------------------------------------------------------------------- results

    def _array(self, name: str) -> np.ndarray:
        self._open()
        return self._arrays[name]

    @property
    def mean(self) -> np.ndarray:
        """[H,W] or [H,W,C], float32: NaN where nothing has been computed yet."""
        return self._array("mean")

    @property
    def variance(self) -> np.ndarray:
        """As mean."""
        return self._array("variance")

    @property
    def members(self) -> np.ndarray:
        """[N,H,W] or [N,H,W,C]: each member's probabilities."""
        return self._array("members")

    @property
    def input(self) -> np.ndarray:
        """[H,W]: what the network sees."""
        return self._array("input")

    @property
    def states(self) -> np.ndarray:
        """[H], uint8: UNSCANNED, PROVISIONAL or FINAL. Decide on final rows only."""
        return self._array("states")

    @property
    def stale(self) -> np.ndarray:
        """[H], uint8: 1 where the values belong to an older range or older rows."""
        return self._array("stale")

    @property
    def rows(self) -> np.ndarray:
        """The rows that are final, in ascending order."""
        return np.flatnonzero(self._array("states") == FINAL)

    @property
    def lag(self) -> int:
        """Rows pushed that the map does not show yet."""
        self._open()
        return self._view.lag

    @property
    def range(self) -> "tuple[float, float]":
        """What becomes 0 and 1."""
        self._open()
        return self._view.lo, self._view.hi

    @property
    def range_changes(self) -> int:
        """How often the range has changed in this frame."""
        self._open()
        return self._view.range_changes

    @property
    def filled(self) -> int:
        """Pixels that were not finite."""
        self._open()
        return self._view.filled

    @property
    def clipped(self) -> float:
        """Share of the pixels outside the range."""
        self._open()
        return self._view.clipped

    def field(self, row: int) -> "tuple[int, int]":
        """The rows [first, end) that this row of the map depends on."""
        ends = ffi.new("int[2]")
        lib.reshed_stream_field(self._open(), row, ends, ends + 1)
        return ends[0], ends[1]

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the stream holds."""
        sizes = ffi.new("size_t[2]")
        lib.reshed_stream_bytes(self._open(), sizes, sizes + 1)
        return sizes[0] + sizes[1]

    def __repr__(self) -> str:
        if self._handle is None:
            return "<reshed.Stream, closed>"
        states = self._arrays["states"]
        return (f"<reshed.Stream {self.shape[0]} x {self.shape[1]}: "
                f"{int((states != UNSCANNED).sum())} rows scanned, {self.rows.size} final>")


class StreamResult:
    """Copies of a stream's maps. Unpacks as ``mean, variance``."""

    def __init__(self, s: Stream):
        self.mean, self.variance = s.mean.copy(), s.variance.copy()
        self.states, self.range = s.states.copy(), s.range

    def __iter__(self) -> Any:
        return iter((self.mean, self.variance))
