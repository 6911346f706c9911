"""Sessions of reshed-scan: what was measured, as arrays (src/spm/session/session.h)."""

from __future__ import annotations

import os
from typing import Any, Dict, List, NamedTuple, Tuple

import numpy as np

from . import _native as n
from . import _rooms as r
from .show import inline, pictures, table

ffi = r.ffi
_MAPS = ("amplitude", "frequency", "q", "phase", "mean", "variance")
POINT_STATES = ("pending", "measured", "lost", "skipped")


class Event(NamedTuple):
    """A line of a session's log: s on the run's clock; 0 note, 1 warning, 2 error."""

    time: float
    level: int
    text: str


def _text(pointer: Any) -> str:
    return "" if pointer == ffi.NULL else ffi.string(pointer).decode("utf-8", "replace")


class Session:
    """A session file, open for reading: finished, interrupted, or being written.

    Everything is read when it is asked for, and comes as arrays of the caller's. Maps are [H,W], row 0
    at the +y edge, NaN where nothing was measured.

    Attributes
    ----------
    shape : (rows, cols)
    centre, size : (x, y), (width, height) in m
    angle : float, rad
    settings : dict of texts
    voltage : float64 [steps], V
    complete, live : bool
    sample, operator, start_time, driver, instrument, weights, norm, program : str
    """

    def __init__(self, path: "str | os.PathLike[str]"):
        self.path, name = n.encode(path)
        out, err = ffi.new("rs_py_session **"), r.new_error()
        with r.files():
            r.check(r.lib().rs_py_session_open(name, out, err), err, self.path)
        self._handle = out[0]
        self._view = ffi.new("rs_py_session_view *")
        try:
            self._look()
        except BaseException:
            self.close()
            raise
        v = self._view
        self.shape = (v.rows, v.cols)
        self.centre, self.size, self.angle = (v.cx, v.cy), (v.width, v.height), v.angle
        self.line_rate, self.upward = v.line_rate, bool(v.upward)
        self.start_time, self.sample, self.operator = (
            _text(v.start_time), _text(v.sample), _text(v.operator_name))
        self.program, self.driver, self.instrument = (
            _text(v.program), _text(v.driver), _text(v.instrument))
        self.weights, self.norm, self.unit = (
            _text(v.weights), _text(v.norm), _text(v.amplitude_unit))
        self.voltage = r.view(v.voltage, (v.steps,), np.float64, None).copy()
        self.spectrum_frequency = r.view(v.spectrum_frequency, (v.spectrum_bins,), np.float64,
                                         None).copy()
        self.settings: Dict[str, str] = dict(self._texts("setting", v.settings))
        self.channels: List[Tuple[str, str]] = self._texts("channel", v.channels)
        self._metrics: List[Tuple[str, str]] = self._texts("metric", v.metrics)

    def _texts(self, what: str, count: int) -> List[Tuple[str, str]]:
        out, function = [], getattr(r.lib(), f"rs_py_session_{what}")
        a, b = ffi.new("char **"), ffi.new("char **")
        for k in range(count):
            function(self._handle, k, ffi.cast("const char **", a), ffi.cast("const char **", b))
            out.append((_text(a[0]), _text(b[0])))
        return out

    def _open(self) -> Any:
        if self._handle is None:
            raise ValueError(f"{self.path}: the session is closed")
        return self._handle

    def _call(self, name: str, *arguments: Any) -> None:
        err = r.new_error()
        with r.files():
            r.check(getattr(r.lib(), f"rs_py_session_{name}")(self._open(), *arguments, err), err,
                    self.path)

    def _look(self) -> None:
        self._call("get", self._view)

    def close(self) -> None:
        """Closes the file."""
        if self._handle is not None:
            with r.files():
                r.lib().rs_py_session_free(self._handle)
            self._handle = None

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle is not None:
            self._handle = None
            n.close_later(lambda free=r.lib().rs_py_session_free: free(handle))

    def refresh(self) -> None:
        """Goes to the last commit of a session that another program writes."""
        self._call("refresh")
        self._look()

    @property
    def complete(self) -> bool:
        """It was finished."""
        return bool(self._view.complete)

    @property
    def live(self) -> bool:
        """Another program is writing it."""
        return bool(self._view.live)

    @property
    def lines(self) -> int:
        """Trace lines that have arrived."""
        return self._view.lines

    @property
    def lost(self) -> int:
        """Trace lines that will not come."""
        return self._view.lost

    @property
    def pixel_size(self) -> Tuple[float, float]:
        """(dy, dx) in m."""
        return self.size[1] / self.shape[0], self.size[0] / self.shape[1]

    # ------------------------------------------------------------------------------------- maps

    def map(self, name: str) -> np.ndarray:
        """amplitude, frequency (Hz), q, phase (rad), mean or variance: float32 [H,W]."""
        if name not in _MAPS:
            raise KeyError(f"{name}: expected {', '.join(_MAPS)}")
        data = np.empty(self.shape, np.float32)
        self._call("map", _MAPS.index(name), n.floats(data, ffi))
        return data

    def _mask(self, k: int) -> np.ndarray:
        data = np.empty(self.shape, np.uint8)
        self._call("mask", k, r.pointer("uint8_t", data))
        return data.astype(bool)

    amplitude = property(lambda self: self.map("amplitude"), doc="What the network sees, [H,W].")
    phase = property(lambda self: self.map("phase"), doc="rad, [H,W].")
    mean = property(lambda self: self.map("mean"), doc="Wall probability, [H,W].")
    variance = property(lambda self: self.map("variance"), doc="Its variance, [H,W].")
    binary = property(lambda self: self._mask(0), doc="The wall mask, bool [H,W].")
    skeleton = property(lambda self: self._mask(1), doc="Its skeleton, bool [H,W].")

    @property
    def states(self) -> np.ndarray:
        """uint8 [H]: 0 unscanned, 1 provisional, 2 final, 3 stale."""
        data = np.empty(self.shape[0], np.uint8)
        self._call("states", r.pointer("uint8_t", data))
        return data

    def images(self, retrace: bool = False) -> Dict[str, np.ndarray]:
        """The raw channels by name: float32 [H,W] each."""
        data = np.empty((len(self.channels),) + self.shape, np.float32)
        if len(self.channels):
            self._call("lines", retrace, n.floats(data, ffi))
        return {name: data[k] for k, (name, _) in enumerate(self.channels)}

    # ----------------------------------------------------------------------------------- points

    @property
    def points(self) -> np.ndarray:
        """Structured array [points], in the order of measurement: row, col (pixels), x, y,
        measured_x, measured_y (m), time, target, wall, kind, state (0 pending, 1 measured, 2 lost,
        3 skipped)."""
        found, room = ffi.new("int *"), self._view.points
        while True:  # a session that is being written may have more by now
            data = np.zeros(room, r.dtype("rs_py_session_point"))
            self._call("points", r.pointer("rs_py_session_point", data), room, found)
            if found[0] <= room:
                return data[:found[0]]
            room = found[0]

    def loops(self) -> Dict[str, np.ndarray]:
        """The loops of all points: ``voltage`` [steps]; ``response`` [points,fields,steps], field 0 on
        field, 1 off field; and each metric by its name, [points]; NaN where nothing was measured."""
        v, states = self._view, self.points["state"]
        response = np.full((states.size, v.fields, v.steps), np.nan, np.float32)
        metric = np.full((states.size, v.metrics), np.nan)
        for k, state in enumerate(states if v.steps else ()):
            if POINT_STATES[state] == "measured":
                self._call("loop", k, n.floats(response[k], ffi), r.pointer("double", metric[k]))
        out = {"voltage": self.voltage, "response": response}
        out.update({name: metric[:, k] for k, (name, _) in enumerate(self._metrics)})
        return out

    def spectra(self, point: int) -> np.ndarray:
        """The spectra of a point, complex64 [fields,steps,bins], over ``spectrum_frequency``."""
        v = self._view
        if not 0 <= point < v.points:
            raise IndexError(f"point: expected 0 to {v.points - 1}, found {point}")
        data = np.empty((v.fields, v.steps, v.spectrum_bins), np.complex64)
        self._call("spectrum", point, r.pointer("float", data))
        return data

    def events(self) -> List[Event]:
        """The log."""
        out = []
        time, level, text = ffi.new("double *"), ffi.new("int *"), ffi.new("char[256]")
        for k in range(self._view.events):
            self._call("event", k, time, level, text)
            out.append(Event(time[0], level[0], _text(text)))
        return out

    # ------------------------------------------------------------------------------------ others

    def to_xarray(self) -> Any:
        """Maps over x and y (m, in the frame) and loops over points, as an xarray Dataset."""
        try:
            import xarray
        except ImportError as e:
            raise ImportError("to_xarray needs xarray (Debian: python3-xarray)") from e
        dy, dx = self.pixel_size
        y = (self.shape[0] / 2 - 0.5 - np.arange(self.shape[0])) * dy
        x = (np.arange(self.shape[1]) + 0.5 - self.shape[1] / 2) * dx
        data: Dict[str, Any] = {k: (("y", "x"), self.map(k)) for k in _MAPS}
        found = self.loops()
        voltage = found.pop("voltage")
        data["response"] = (("point", "field", "step"), found.pop("response"))
        # A metric whose name is that of a map is told apart by what it belongs to.
        data.update({k if k not in data else f"loop_{k}": (("point",), a) for k, a in found.items()})
        return xarray.Dataset(data, coords={"y": y, "x": x, "voltage": ("step", voltage)})

    def _maps(self) -> Any:
        return [("image", self.amplitude), ("wall probability", self.mean),
                ("variance", self.variance)]

    def plot(self, axes: Any = None) -> Any:
        """Amplitude with the points, mean and variance side by side."""
        axes = pictures(self._maps(), axes)
        points = self.points
        axes[0].plot(points["col"], points["row"], ".", color="red", ms=4)
        return axes

    def _rows(self) -> "list[tuple[str, Any]]":
        v = self._view
        state = "complete" if v.complete else "live" if v.live else "interrupted"
        return [("file", os.path.basename(self.path)), ("state", state),
                ("frame", f"{v.rows} x {v.cols}, {v.width * 1e6:.4g} x {v.height * 1e6:.4g} um"),
                ("lines", f"{v.lines}, {v.lost} lost"),
                ("points", f"{v.measured} of {v.points} measured"),
                ("instrument", self.instrument), ("sample", self.sample)]

    def __repr__(self) -> str:
        if self._handle is None:
            return f"<reshed.Session {self.path}, closed>"
        return "<reshed.Session: " + ", ".join(f"{k} {v}" for k, v in self._rows() if v) + ">"

    def _repr_html_(self) -> str:
        if self._handle is None:
            return repr(self)
        return inline(self._maps()) + table("reshed.Session", self._rows())
