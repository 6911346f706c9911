"""Drivers written in Python, and reshed-scan's own loop with them.

A driver is a class with the functions of include/reshed_driver.h as methods, SI units throughout;
functions that it lacks are left out. What a method raises ends the run, the instrument halted:
`Retry`, `LostLine`, `Refused` and `Lost` say what the loop is to make of it, and anything else counts as
`Lost`. `run` is the acquisition.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
import traceback
import warnings
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from . import _native as n
from . import _rooms as r
from . import _rooms_c
from .errors import Error, InstrumentError, InvalidArgument
from .model import Model, shipped_weights

ffi = r.ffi
_OK, _RETRY, _LOST_LINE, _REFUSED, _LOST = range(5)


class DriverError(Exception):
    """What a driver's method raises."""

    status = _LOST


class Retry(DriverError):
    """Not yet: the same call may be made again."""

    status = _RETRY


class Refused(DriverError):
    """Out of range or not supported; nothing was done."""

    status = _REFUSED


class Lost(DriverError):
    """The instrument does not answer any more."""


class LostLine(DriverError):
    """This line or spectrum will not come; the instrument goes on."""

    status = _LOST_LINE

    def __init__(self, row: int = -1, retrace: bool = False, text: str = "the line is lost"):
        super().__init__(text)
        self.row, self.retrace = row, retrace


class Limits(NamedTuple):
    """m of the stage; V of |bias|; V of the AC amplitude; m/s of the tip."""

    x_min: float
    x_max: float
    y_min: float
    y_max: float
    bias_max: float
    drive_max: float
    speed_max: float


class Caps(NamedTuple):
    """What an instrument can do: rs_driver_caps of include/reshed_driver.h."""

    instrument: str
    channels: Sequence[Tuple[str, str]]  #: name and unit of each channel of a line
    limits: Limits
    band_excitation: bool = False
    bins: int = 0
    off_field: bool = False
    retrace: bool = False
    simulated: bool = False
    clock_rate: float = 1.0


class Frame(NamedTuple):
    """A scan frame: m, rad; row 0 at the +y edge."""

    cx: float
    cy: float
    width: float
    height: float
    angle: float
    rows: int
    cols: int
    line_rate: float
    upward: bool


class BandExcitation(NamedTuple):
    """Hz, V, s."""

    centre: float
    band: float
    amplitude: float
    phase_variation: float
    repeats: int
    duration: float


class Line(NamedTuple):
    """One line as it was delivered."""

    row: int
    channels: Any  #: [channels][cols]; NaN where there is no value
    retrace: bool = False
    spectra: Any = None  #: complex [cols][bins], V
    frequency: Any = None  #: [bins], Hz
    time: float = 0.0  #: s of the instrument's clock
    frame: int = 0  #: counts frames


class Spectroscopy(NamedTuple):
    """The tip stays while the bias goes through ``voltage``."""

    voltage: np.ndarray  #: [steps], V
    off_field: bool
    dwell: float
    settle: float
    read_bias: float
    on_time: float
    ramp_rate: float


class Spectrum(NamedTuple):
    """The readings of one spectroscopy; field 0 on field, 1 off field."""

    x: float
    y: float
    amplitude: Any = None  #: [fields][steps]
    phase: Any = None  #: [fields][steps], rad
    spectra: Any = None  #: complex [fields][steps][bins], V
    frequency: Any = None  #: [bins], Hz
    time: float = 0.0


def _words(e: BaseException) -> str:
    try:
        return str(e) or type(e).__name__
    except Exception:  # its own __str__ raises
        return type(e).__name__


def _fill(target: Any, kind: str, values: np.ndarray, room: int) -> None:
    """Copies into C's array of `room` numbers; NULL: it is not wanted."""
    if values.size > room:
        raise InvalidArgument(f"expected up to {room} numbers, found {values.size}")
    if target != ffi.NULL:
        size = values.size * ffi.sizeof(kind)
        ffi.buffer(target, size)[:] = values.tobytes()


def _put_text(field: Any, text: str) -> None:
    """Text as C has it, cut between characters; what UTF-8 cannot say becomes a question mark."""
    raw = str(text).encode("utf-8", "replace")[:len(field) - 1]
    raw = raw.decode("utf-8", "ignore").encode("utf-8")
    for k, byte in enumerate(raw + b"\0"):
        field[k] = bytes([byte])


def _take_caps(self: Any, out: Any) -> None:
    """All of them, or none: what is half filled in must not be taken for an instrument."""
    try:
        c = self.caps()
        if len(c.channels) > len(out.channel):
            raise InvalidArgument(f"caps: expected up to {len(out.channel)} channels, found "
                                  f"{len(c.channels)}")
        _put_text(out.instrument, c.instrument)
        out.band_excitation, out.off_field, out.retrace = c.band_excitation, c.off_field, c.retrace
        out.simulated, out.clock_rate, out.bins = c.simulated, c.clock_rate, c.bins
        for k, (name, unit) in enumerate(c.channels):
            _put_text(out.channel[k], name)
            _put_text(out.unit[k], unit)
        for name, value in c.limits._asdict().items():
            setattr(out.limits, name, value)
        out.channels = len(c.channels)
    except BaseException:
        ffi.buffer(out, ffi.sizeof("rs_driver_caps"))[:] = bytes(ffi.sizeof("rs_driver_caps"))
        raise


def _take_frame(f: Any) -> Frame:
    return Frame(f.cx, f.cy, f.width, f.height, f.angle, f.rows, f.cols, f.line_rate,
                 bool(f.upward))


def _put_frame(out: Any, f: Any) -> None:
    for name, value in f._asdict().items():
        setattr(out, name, value)


def _numbers(values: Any, kind: Any, shape: Tuple[int, ...], what: str) -> np.ndarray:
    array = np.ascontiguousarray(values, dtype=kind)
    if array.shape != shape:
        raise InvalidArgument(f"{what}: expected {list(shape)}, found {list(array.shape)}")
    return array


def _put_line(out: Any, line: Line) -> None:
    channels = np.ascontiguousarray(line.channels, dtype=np.float32)
    if channels.ndim == 1:
        channels = channels[np.newaxis]
    if channels.ndim != 2:
        raise InvalidArgument(f"line: channels: expected [channels][cols], found "
                              f"{list(channels.shape)}")
    cols = channels.shape[1]
    bins = 0 if line.spectra is None else np.shape(line.spectra)[-1]
    if cols > out.cols or bins > out.bins:
        raise Refused(f"line: room for {out.cols} columns and {out.bins} bins, found {cols} and "
                      f"{bins}")
    count = min(out.channels, channels.shape[0])
    _fill(out.channel, "float", channels[:count], out.channels * out.cols)
    if bins:
        _fill(out.spectra, "float",
              _numbers(line.spectra, np.complex64, (cols, bins), "spectra").view(np.float32),
              out.cols * out.bins * 2)
        _fill(out.frequency, "double", _numbers(line.frequency, np.float64, (bins,), "frequency"),
              out.bins)
    out.cols, out.bins, out.channels = cols, bins, count
    out.row, out.retrace, out.time, out.frame = line.row, line.retrace, line.time, line.frame


def _put_spectrum(out: Any, s: Spectrum) -> None:
    out.x, out.y, out.time = s.x, s.y, s.time
    if s.spectra is not None:
        data = np.ascontiguousarray(s.spectra, dtype=np.complex64)
        wanted = "spectra: expected [fields][steps][bins]"
    else:
        data = np.ascontiguousarray(s.amplitude, dtype=np.float32)
        wanted = "amplitude: expected [fields][steps]"
    if data.ndim != (2 if s.spectra is None else 3):
        raise InvalidArgument(f"{wanted}, found {list(data.shape)}")
    fields, steps = data.shape[:2]
    bins = 0 if s.spectra is None else data.shape[2]
    if steps > out.steps or bins > out.bins or fields > 2:
        raise Refused(f"spectrum: room for {out.steps} steps and {out.bins} bins, found {steps} "
                      f"and {bins}")
    if bins:
        _fill(out.spectra, "float", data.view(np.float32), 2 * out.steps * out.bins * 2)
        _fill(out.frequency, "double", _numbers(s.frequency, np.float64, (bins,), "frequency"),
              out.bins)
    else:
        _fill(out.amplitude, "float", data, 2 * out.steps)
        _fill(out.phase, "float", _numbers(s.phase, np.float32, (fields, steps), "phase"),
              2 * out.steps)
    out.steps, out.bins, out.fields = steps, bins, fields


def _take_spectroscopy(s: Any) -> Spectroscopy:
    voltage = np.frombuffer(ffi.buffer(s.voltage, s.steps * 8), np.float64).copy()
    return Spectroscopy(voltage, bool(s.off_field), s.dwell, s.settle, s.read_bias, s.on_time,
                        s.ramp_rate)


def _string(text: Any) -> str:
    return ffi.string(text).decode("utf-8", "replace")


def _some(value: Any) -> Any:
    """None from a method that waits: not yet."""
    if value is None:
        raise Retry("not yet")
    return value


def _arrived(value: Any) -> None:
    """None, or what is true: the tip is there. NumPy's False is as good as Python's."""
    if value is not None and not value:
        raise Retry("on its way")


def _store(pointer: Any, value: float) -> None:
    pointer[0] = value


class Table:
    """A driver as C's table of functions; keep it as long as the table is in use."""

    def __init__(self, driver: Any):
        self.driver = driver
        self.raised: List[Tuple[str, BaseException]] = []  # and the method's name
        self._lock = threading.Lock()
        self._kept: List[Any] = []
        self.handle = ffi.new_handle(self)
        ops = self.ops = ffi.new("rs_driver_ops *")
        ops.abi, ops.size = _rooms_c.DRIVER_ABI, ffi.sizeof("rs_driver_ops")
        ops.name = self._text(type(driver).__name__)
        ops.help = self._text("")
        self._set("open", self._opened)
        self._set("close", self._closed, fails=False)
        self._set("caps", lambda _, out: _take_caps(driver, out), fails=False)
        d = driver
        self._method("set_frame", lambda f, t: d.set_frame(_take_frame(f), t))
        self._method("get_frame", lambda f, t: _put_frame(f, d.get_frame(t)))
        self._method("set_be", lambda b, t: d.set_be(
            BandExcitation(b.centre, b.band, b.amplitude, b.phase_variation, b.repeats, b.duration),
            t))
        self._method("start", lambda row, t: d.start(row, t))
        self._method("pause", lambda t: d.pause(t))
        self._method("wait_line", self._line)
        self._method("move_tip", lambda x, y, v, t: _arrived(d.move_tip(x, y, v, t)))
        self._method("get_tip", self._tip)
        self._method("set_setpoint", lambda v, t: d.set_setpoint(v, t))
        self._method("get_setpoint", lambda p, t: _store(p, d.get_setpoint(t)))
        self._method("engage", lambda t: d.engage(t))
        self._method("withdraw", lambda t: d.withdraw(t))
        self._method("set_bias", lambda v, t: d.set_bias(v, t))
        self._method("get_bias", lambda p, t: _store(p, d.get_bias(t)))
        self._method("pulse", lambda v, w, t: d.pulse(v, w, t))
        self._method("set_drive", lambda v, t: d.set_drive(v, t))
        self._method("set_spectroscopy",
                     lambda s, t: d.set_spectroscopy(_take_spectroscopy(s), t))
        self._method("run_spectroscopy",
                     lambda t, out: _put_spectrum(out, _some(d.run_spectroscopy(t))))
        self._method("read_signal", lambda name, p, t: _store(
            p, d.read_signal(ffi.string(name).decode(), t)))
        self._method("halt", lambda t: d.halt(t))
        if self._has("spectroscopy_seconds"):
            self._set("spectroscopy_seconds", lambda _: d.spectroscopy_seconds(), fails=False)

    def _text(self, text: str) -> Any:
        kept = ffi.new("char[]", text.encode())
        self._kept.append(kept)
        return kept

    def _has(self, name: str) -> bool:
        return callable(getattr(self.driver, name, None))

    def _method(self, name: str, call: Callable[..., None]) -> None:
        if self._has(name):
            self._set(name, lambda _, *arguments: call(*arguments[:-1]))  # err is the last

    def _set(self, name: str, call: Callable[..., Any], fails: bool = True) -> None:
        kind = ffi.typeof("rs_driver_ops")
        field = dict(kind.fields)[name].type

        def guarded(*arguments: Any) -> Any:
            try:
                call(*arguments)
                return _OK
            except BaseException as e:  # nothing may pass through C
                return self._failed(name, e, arguments[-1])

        def broken(kind: Any, e: BaseException, trace: Any) -> None:
            self._note(name, e)

        # What cffi makes of an exception is the last line: a call that has failed is never a success.
        if fails:
            callback = ffi.callback(field, guarded, error=_LOST, onerror=broken)
        elif field.result.kind == "void":
            callback = ffi.callback(field, call, onerror=broken)
        else:
            callback = ffi.callback(field, call, error=float("nan"), onerror=broken)
        self._kept.append(callback)
        setattr(self.ops, name, callback)

    def _note(self, name: str, e: BaseException) -> None:
        with self._lock:
            self.raised.append((name, e))

    def _failed(self, name: str, e: BaseException, err: Any) -> int:
        """The status for what a method has raised, and err filled."""
        status = _LOST
        if isinstance(e, DriverError):
            status = e.status if e.status in (_RETRY, _LOST_LINE, _REFUSED) else _LOST
        elif isinstance(e, TimeoutError):
            status = _RETRY
        if status == _LOST:
            self._note(name, e)
        err.status = {_RETRY: n.lib.RESHED_ETIMEOUT, _REFUSED: n.lib.RESHED_EINVAL}.get(
            status, n.lib.RESHED_EIO)
        what = _words(e)
        if not isinstance(e, (DriverError, TimeoutError)):
            what = f"{type(e).__name__}: {what}"
            for place in traceback.extract_tb(e.__traceback__)[-1:]:
                what += f" ({os.path.basename(place.filename)}:{place.lineno})"
        _put_text(err.what, f"{name}: {what}")
        return int(status)

    def _opened(self, option: Any, count: int, timeout: float, self_: Any, err: Any) -> None:
        options = {ffi.string(option[k].name).decode(): ffi.string(option[k].value).decode()
                   for k in range(count)}
        if self._has("open"):
            self.driver.open(timeout=timeout, **options)
        elif options:
            raise Refused(f"options: expected none, found {', '.join(options)}")
        self_[0] = self.handle

    def _closed(self, _: Any) -> None:
        if self._has("close"):
            self.driver.close()

    def _line(self, timeout: float, out: Any) -> None:
        try:
            _put_line(out, _some(self.driver.wait_line(timeout)))
        except LostLine as e:
            out.row, out.retrace = e.row, e.retrace
            raise

    def _tip(self, x: Any, y: Any, timeout: float) -> None:
        x[0], y[0] = self.driver.get_tip(timeout)


class Progress(NamedTuple):
    """The survey after a line; the arrays are valid during the call only."""

    row: int
    arrived: int
    lost: int
    amplitude: np.ndarray  #: [H,W], NaN where not scanned
    mean: np.ndarray  #: [H,W]
    variance: np.ndarray  #: [H,W]
    states: np.ndarray  #: [H]: 0 unscanned, 1 provisional, 2 final, 3 stale
    score: float
    alarm: bool


ENDS = ("done", "interrupted", "unconfirmed", "alarmed", "tip changed", "out of time", "refused",
        "lost", "disk", "failed")


class End(NamedTuple):
    """How a run ended."""

    end: str  #: one of ENDS
    left: str  #: how the instrument was left, step by step
    path: str  #: the session: reshed.Session(end.path)


class _Interrupts:
    """Ctrl-C during a run is noted and acted on between steps, never in the midst of a driver's
    method: the instrument is halted first, KeyboardInterrupt comes afterwards."""

    def __init__(self) -> None:
        self.seen = False
        self._old: Any = None

    def _note(self, number: int, frame: Any) -> None:
        self.seen = True

    def __enter__(self) -> "_Interrupts":
        # One that C code has installed could not be put back.
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT):
            self._old = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *exc: Any) -> None:
        if self._old is not None:
            signal.signal(signal.SIGINT, self._old)


class _Garbage:
    """Cycles of garbage are freed between steps, where h5py is loaded: its objects wait for the lock that the
    run holds, and the run waits for the driver's methods, on whose threads Python would free them."""

    def __init__(self) -> None:
        self._off = n.h5py_lock() is not None and gc.isenabled()
        self._next = 0.0

    def __enter__(self) -> "_Garbage":
        if self._off:
            gc.disable()
        return self

    def __exit__(self, *exc: Any) -> None:
        if self._off:
            gc.enable()

    def collect(self) -> None:
        if self._off and time.monotonic() >= self._next:
            gc.collect(1)
            self._next = time.monotonic() + 1


def _text_options(values: Mapping[str, Any], kept: List[Any]) -> Any:
    array = ffi.new("rs_driver_option[]", len(values))
    for k, (name, value) in enumerate(values.items()):
        text = str(int(value)) if isinstance(value, bool) else (
            repr(float(value)) if isinstance(value, float) else str(value))
        kept += [ffi.new("char[]", name.encode()), ffi.new("char[]", text.encode())]
        array[k].name, array[k].value = kept[-2], kept[-1]
    kept.append(array)
    return array


def run(driver: Any, out: "str | os.PathLike[str]", *,
        weights: "Optional[str | os.PathLike[str] | Model]" = None,
        options: Optional[Mapping[str, Any]] = None, resume: bool = False,
        norm: Optional[str] = None, sample: Optional[str] = None, operator: Optional[str] = None,
        threads: int = 0, on_line: Optional[Callable[[Progress], None]] = None,
        on_point: Optional[Callable[[int, int, float], None]] = None,
        confirm: Optional[Callable[[np.ndarray], bool]] = None,
        stop: Optional[Callable[[], bool]] = None, **settings: Any) -> End:
    """Scans, maps the walls, measures loops on them: reshed-scan's own loop, one region.

    Parameters
    ----------
    driver : object with the methods of a driver, or "twin" or "replay"
        Limits, waits and halts are the loop's; a driver checks its own limits as well.
    out : path
        The session to write; it must not exist, but with ``resume``.
    weights : path or Model, optional
        The shipped ensemble unless given.
    options : dict, optional
        Of the driver's ``open``.
    on_line : callable, optional
        on_line(Progress) after each line.
    on_point : callable, optional
        on_point(done, of, seconds_left) after each point.
    confirm : callable, optional
        confirm(points) -> bool before the first voltage; points as `Session.points`. False: the run
        ends "unconfirmed", and goes on with ``resume``.
    stop : callable, optional
        Asked a few times a second; True ends the run as Ctrl-C does.
    **settings
        As reshed-scan -s: rows=128, cols=128, width=2e-6, voltage=8, max_points=20, ...
        (`reshed-scan --list`).

    Returns
    -------
    End
        "done", "interrupted" (by stop), "unconfirmed", "alarmed", "tip changed", "out of time". Failures
        are raised, from the exception of the driver's method where that was the cause. Ctrl-C halts the
        instrument, leaves a session that can be resumed, and raises KeyboardInterrupt.

    There is no watchdog: for an instrument whose host may die use reshed-scan. While a run goes on
    the files are its own: other threads and the driver's methods cannot open any with reshed, and
    with h5py they would wait for the run's end.
    """
    path, c_out = n.encode(out)
    if weights is None:
        weights = shipped_weights()["reshednet16x10"]
    c_weights = n.encode(weights.path if isinstance(weights, Model) else weights)[1]
    kept: List[Any] = []

    def text(value: "Union[str, bytes, None]") -> Any:
        if value is None:
            return ffi.NULL
        kept.append(ffi.new("char[]", value if isinstance(value, bytes) else value.encode()))
        return kept[-1]

    table = None if isinstance(driver, str) else Table(driver)
    s, end, err = ffi.new("rs_py_scan *"), ffi.new("rs_py_scan_end *"), r.new_error()
    s.weights, s.out = text(c_weights), text(c_out)
    s.start_time = text(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    s.driver = text(driver if table is None else f"python:{type(driver).__name__}")
    s.table = ffi.NULL if table is None else table.ops
    opts = dict(options or {})
    s.option, s.options = _text_options(opts, kept), len(opts)
    s.setting, s.settings = _text_options(settings, kept), len(settings)
    s.norm, s.sample, s.operator_name = text(norm), text(sample), text(operator)
    s.threads, s.resume = threads, resume
    raised: List[BaseException] = []

    def guarded(kind: str, function: Callable[..., Any], otherwise: Any = None) -> Any:
        def call(_: Any, *arguments: Any) -> Any:
            try:
                return function(*arguments)
            except BaseException as e:
                raised.append(e)
                return otherwise

        def broken(kind: Any, e: BaseException, trace: Any) -> None:
            raised.append(e)  # what cannot be made C's: a confirm that returns a text

        field = dict(ffi.typeof("rs_py_scan").fields)[kind].type
        kept.append(ffi.callback(field, call, onerror=broken) if otherwise is None else
                    ffi.callback(field, call, error=otherwise, onerror=broken))
        return kept[-1]

    def line(row: int, arrived: int, lost: int, rows: int, cols: int, amplitude: Any, mean: Any,
             variance: Any, state: Any, score: float, alarm: int) -> None:
        maps = [r.view(p, (rows, cols), np.float32, None) for p in (amplitude, mean, variance)]
        on_line(Progress(row, arrived, lost, *maps,  # type: ignore[misc]
                         r.view(state, (rows,), np.uint8, None), score, bool(alarm)))

    def point(done: int, of: int, left: float) -> None:
        on_point(done, of, left)  # type: ignore[misc]

    def warn_of(text: str) -> None:
        try:
            warnings.warn(text, RuntimeWarning, stacklevel=4)
        except RuntimeWarning:
            pass  # where warnings are errors: no reason to end an acquisition

    def interrupted() -> bool:
        garbage.collect()
        return bool(raised or interrupts.seen or (stop is not None and stop()))

    def confirmed(points: Any, count: int) -> int:
        array = r.view(points, (count,), r.dtype("rs_py_session_point"), None).copy()
        return bool(confirm(array))  # type: ignore[misc]

    # The files first: who waits for them can still be interrupted.
    with n.files(run=True), _Interrupts() as interrupts, _Garbage() as garbage:
        s.interrupted = guarded("interrupted", interrupted, 1)
        s.warn = guarded("warn", lambda serious, what: warn_of(_string(what)))
        if on_line is not None:
            s.line = guarded("line", line)
        if on_point is not None:
            s.point = guarded("point", point)
        if confirm is not None:
            s.confirm = guarded("confirm", confirmed, 0)
        status = int(r.lib().rs_py_scan_run(s, end, err))
    left = _string(end.left)
    told = [] if table is None else table.raised
    first = next(iter(raised + [e for _, e in told]), None)
    unsafe = f"the instrument could not be left as it should be: {left}" if end.unsafe else ""
    if interrupts.seen:
        raise KeyboardInterrupt("; ".join(filter(None, (
            unsafe, f"the run was interrupted; instrument: {left}; {path} can be resumed")))) from first
    if status != n.OK and not raised:
        error: Error = n.make_error(status, err, _string(end.where) or path)
        if told or ENDS[end.end] == "lost":
            error = InstrumentError(*error.args, error.what, path=error.path)
        if unsafe:
            error.args = (f"{error.args[0]}; {unsafe}",)
        error.left = left  # type: ignore[attr-defined]
        raise error from first
    if unsafe:
        raise InstrumentError("; ".join([f"{path}: {unsafe}"] + [_words(e) for e in raised[:1]]),
                              path=path) from first
    if raised:
        raise raised[0]
    for name, e in told:
        warn_of(f"the driver's {name} has failed: {type(e).__name__}: {_words(e)}")
    return End(ENDS[end.end], left, path)
