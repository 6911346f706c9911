"""Band-excitation spectra and hysteresis loops: the mathematics of src/beps."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from . import _rooms as r
from .errors import InvalidArgument
from .show import pyplot, table

ffi = r.ffi
_PORTION = 16384  # spectra between two looks for Ctrl-C


def sho_fit(spectra: Any, frequency: Any, **options: Any) -> np.ndarray:
    """Fits a simple harmonic oscillator to complex spectra.

    H(w) = A exp(i phi) w0^2 / (w^2 - i w w0 / Q - w0^2), BGlib's form: A is drive-referred, the peak
    is A Q.

    Parameters
    ----------
    spectra : complex array [..., bins]
        complex64 and contiguous is used as it is.
    frequency : array [bins]
        Hz, rising.
    **options
        f_min, f_max (Hz), q_min=2, q_max=10000, a_min, a_max, min_r2, unbiased=True,
        conjugate=False, max_passes=100, threads=0.

    Returns
    -------
    structured array [...]
        amplitude (unit of the spectra), frequency (Hz), q, phase (rad), peak, their standard errors
        (amplitude_se, ...), r2, noise, flags (see `sho_flags`), failed (1: not to be believed).
    """
    data = np.asarray(spectra)
    if data.dtype.kind not in "cfiu":
        raise TypeError(f"spectra: expected complex numbers, found {data.dtype}")
    data = np.ascontiguousarray(data, dtype=np.complex64)
    axis = r.doubles_of(frequency, "frequency")
    if axis.ndim != 1 or data.ndim < 1 or data.shape[-1] != axis.size:
        raise InvalidArgument(f"spectra: expected [..., {axis.size}], found {list(data.shape)}")
    array, count, kept = r.settings(options)
    out, err = ffi.new("rs_py_sho_plan **"), r.new_error()
    r.check(r.lib().rs_py_sho_create(r.pointer("double", axis), axis.size, array, count, out, err),
            err)
    del kept
    plan = r.made(out, r.lib().rs_py_sho_free)
    flat = data.reshape(-1, axis.size)
    fits = np.zeros(len(flat), r.dtype("rs_py_sho"))
    for first in range(0, len(flat), _PORTION):
        some, to = flat[first:first + _PORTION], fits[first:first + _PORTION]
        r.check(r.lib().rs_py_sho_run(plan, r.pointer("float", some), len(some),
                                      r.pointer("rs_py_sho", to), err), err)
    return fits.reshape(data.shape[:-1])


def sho_flags(flags: int) -> List[str]:
    """The flags of a fit in words."""
    texts = (ffi.string(r.lib().rs_py_sho_flag_text(1 << k)).decode() for k in range(16)
             if int(flags) >> k & 1)
    return [t for t in texts if t]


def loop_flags(flags: int) -> List[str]:
    """The flags of a loop in words."""
    texts = (ffi.string(r.lib().rs_py_loop_flag_name(k)).decode() for k in range(32)
             if int(flags) >> k & 1)
    return [t for t in texts if t]


_metrics: List[Tuple[str, str, str, bool]] = []


def metrics() -> List[Tuple[str, str, str, bool]]:
    """All metrics: id, unit (R: that of the response), definition, and whether a summary shows it."""
    if not _metrics:
        lib = r.lib()
        k = 0
        while lib.rs_py_metric_id(k)[0] != b"\0":
            _metrics.append(tuple(ffi.string(f(k)).decode() for f in (  # type: ignore[arg-type]
                lib.rs_py_metric_id, lib.rs_py_metric_unit, lib.rs_py_metric_text))
                + (bool(lib.rs_py_metric_in_summary(k)),))
            k += 1
    return _metrics


class Loops:
    """The metrics of loops, by their ids: ``loops["width_mid"]``, shape of the points.

    Attributes
    ----------
    flags : uint32, shape of the points
        See `loop_flags`.
    trusted : bool, shape of the points
        None of the flags that say that a loop's numbers are not to be trusted.
    response : float64 [..., cycles*steps]
        Signed, in the order of measurement.
    voltage : float64 [cycles*steps], V
    reference : float
        rad: the direction that the signs are held to; NaN when each loop has its own.
    """

    def __init__(self, handle: Any, shape: Tuple[int, ...], voltage: np.ndarray):
        v = ffi.new("rs_py_loops_view *")
        r.lib().rs_py_loops_get(handle, v)
        self._shape = shape
        whole = (v.metrics, v.points)
        self._value = r.view(v.value, whole, np.float64, handle)
        self._spread = None if v.spread == ffi.NULL else r.view(v.spread, whole, np.float64, handle)
        self._error = None if v.error == ffi.NULL else r.view(v.error, whole, np.float64, handle)
        self.flags = r.view(v.flags, (v.points,), np.uint32, handle).reshape(shape)
        self.trusted = (self.flags & r.lib().rs_py_loop_bad()) == 0
        self.response = r.view(v.response, (v.points, voltage.size), np.float64,
                               handle).reshape(shape + (voltage.size,))
        self.voltage, self.cycles, self.reference = voltage, v.cycles, v.reference
        self._place = {m[0]: k for k, m in enumerate(metrics())}

    def _row(self, of: Optional[np.ndarray], name: str) -> np.ndarray:
        if name not in self._place:
            raise KeyError(f"{name}: no such metric; reshed.metrics() lists them")
        if of is None:
            return np.full(self._shape, np.nan)
        return of[self._place[name]].reshape(self._shape)

    def __getitem__(self, name: str) -> np.ndarray:
        return self._row(self._value, name)

    def keys(self) -> List[str]:
        """The ids of all metrics."""
        return list(self._place)

    def __iter__(self) -> Any:
        return iter(self._place)

    def __len__(self) -> int:
        return len(self._place)

    def spread(self, name: str) -> np.ndarray:
        """Standard deviation over the cycles; NaN with one cycle."""
        return self._row(self._spread, name)

    def error(self, name: str) -> np.ndarray:
        """Bootstrap standard error; NaN unless ``bootstrap`` was given."""
        return self._row(self._error, name)

    def to_dict(self, summary: bool = False) -> Dict[str, np.ndarray]:
        """{id: array}, of all metrics or of the dozen that a summary shows; and flags, trusted."""
        out = {m[0]: self[m[0]] for m in metrics() if m[3] or not summary}
        out["flags"], out["trusted"] = self.flags, self.trusted
        return out

    def to_array(self, summary: bool = False) -> np.ndarray:
        """The same as a structured array, shape of the points."""
        columns = self.to_dict(summary)
        out = np.empty(self._shape, [(k, a.dtype) for k, a in columns.items()])
        for name, column in columns.items():
            out[name] = column
        return out

    def to_pandas(self, summary: bool = False) -> Any:
        """The same as a pandas DataFrame, a row for each loop."""
        try:
            import pandas
        except ImportError as e:
            raise ImportError("to_pandas needs pandas (Debian: python3-pandas)") from e
        return pandas.DataFrame({k: a.ravel() for k, a in self.to_dict(summary).items()})

    def plot(self, index: Any = 0, ax: Any = None) -> Any:
        """One loop."""
        if ax is None:
            ax = pyplot().subplots()[1]
        ax.plot(self.voltage, self.response.reshape(-1, self.voltage.size)[index]
                if isinstance(index, int) else self.response[index], ".-")
        ax.set_xlabel("V")
        ax.set_ylabel("response")
        return ax

    def __repr__(self) -> str:
        return (f"<reshed.Loops: {self.flags.size} loops of {self.voltage.size} voltages, "
                f"{int(self.trusted.sum())} trusted>")

    def _repr_html_(self) -> str:
        rows = [("loops", self.flags.size), ("trusted", int(self.trusted.sum()))]
        for name, unit, _, in_summary in metrics():
            good = self[name][self.trusted]
            if in_summary and np.isfinite(good).any():
                rows.append((f"{name} ({unit})", f"{float(np.nanmedian(good)):.4g}"))
        return table("reshed.Loops (medians of the trusted ones)", rows)


_WAYS = {"map": 0, "area": 1, "fixed": 2, "bglib": 3}


def loops(voltage: Any, response: Any, *, cycles: int = 1, unfold: str = "map",
          **options: Any) -> Loops:
    """Measures hysteresis loops.

    Parameters
    ----------
    voltage : array [cycles*steps], V
        In the order of measurement, the same for every loop.
    response : array [..., cycles*steps]
        Signed, or complex: amplitude times exp(i phase) of the fits, which is unfolded first.
    unfold : "map", "area", "fixed" or "bglib"
        Each loop's line on the side of the map's common direction; counter-clockwise; the common
        direction itself; BGlib's projection.
    **options
        fit=True, sat_fraction=0.15, nucleation=0.03, onset_slope=0.1, bglib_bounds=False,
        keep_spikes=False, drop_first=True, orient=False, remove_slope=False, outlier=6,
        bootstrap=0, seed=0, branches (0 none, 1 sigmoid, 2 arctangent), reference (rad), threads=0.

    Returns
    -------
    Loops
    """
    v = r.doubles_of(voltage, "voltage")
    data = np.asarray(response)
    if v.ndim != 1 or data.ndim < 1 or data.shape[-1] != v.size or data.size == 0:
        raise InvalidArgument(f"response: expected [..., {v.size}], found {list(data.shape)}")
    if cycles < 1 or v.size % cycles:
        raise InvalidArgument(f"cycles: expected a divisor of {v.size}, found {cycles}")
    flat = data.reshape(-1, v.size)
    real = r.doubles_of(flat.real, "response")
    imaginary = r.doubles_of(flat.imag, "response") if np.iscomplexobj(flat) else None
    i = ffi.new("rs_py_loops_input *")
    i.v, i.re, i.im = (r.pointer("double", a) for a in (v, real, imaginary))
    i.steps, i.cycles, i.points = v.size // cycles, cycles, len(flat)
    array, count, kept = r.settings({"unfold": unfold, **options}, {"unfold": _WAYS})
    out, err = ffi.new("rs_py_loops **"), r.new_error()
    r.check(r.lib().rs_py_loops_find(i, array, count, out, err), err)
    del kept
    return Loops(r.made(out, r.lib().rs_py_loops_free), data.shape[:-1], v)
