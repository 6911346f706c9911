"""The simulated sample: images with the truth (src/spm/labelled)."""

from __future__ import annotations

from typing import Any, Optional, Tuple

import numpy as np

from . import _rooms as r
from .errors import InvalidArgument
from .show import inline, pictures, table

ffi = r.ffi


class TwinImage:
    """One simulated frame with its truth, all [H,W].

    amplitude (m), phase (rad), resonance (Hz), q, height (m): float32; wall: bool, the edges of the
    a domains; domain: uint8, 0 a, 1 c+, 2 c-, 3 a 180-degree wall; kind: uint8, 0 no wall,
    1 ferroelastic, 2 of 180 degrees, 3 mixed; pixel_size in m.
    """

    def __init__(self, shape: Tuple[int, int]):
        for name in ("amplitude", "phase", "resonance", "q", "height"):
            setattr(self, name, np.empty(shape, np.float32))
        for name in ("wall", "domain", "kind"):
            setattr(self, name, np.empty(shape, np.uint8))
        self.pixel_size = 0.0

    def plot(self, axes: Any = None) -> Any:
        """Amplitude and truth."""
        return pictures(self._maps(), axes)

    def _maps(self) -> Any:
        return [("image", self.amplitude), ("walls", self.wall)]  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        h, w = self.amplitude.shape  # type: ignore[attr-defined]
        return f"<reshed.TwinImage {h} x {w}, {self.pixel_size * 1e9:.3g} nm a pixel>"

    def _repr_html_(self) -> str:
        return inline(self._maps()) + table("reshed.TwinImage", [("frame", repr(self))])


def twin(shape: Any = (256, 256), *, seed: int = 1, pixel_size: Optional[float] = None,
         film: str = "pzt", random: bool = False, harsh: float = 1.0, **options: Any) -> TwinImage:
    """Draws a frame of the simulated sample, with the truth: what reshed-twin image draws.

    Parameters
    ----------
    shape : int or (height, width)
    seed : int
        Equal seeds give equal bits.
    pixel_size : float, optional
        m; 10 nm, or drawn where random.
    film : "pzt", "pto", "laminate", "relaxor", "defects" or "mix"
    random : bool
        Film and instrument are drawn, as for training; else an instrument without fault.
    harsh : float
        Strength of a drawn instrument's effects, 0 to 2.
    **options
        As ``reshed-twin list`` names them: noise=0.05, tip_radius=20e-9, ...
    """
    h, w = (shape, shape) if np.ndim(shape) == 0 else shape
    if not 0 <= seed < 2**32:
        raise InvalidArgument(f"seed: expected 0 to 2^32 - 1, found {seed}")
    if not (4 <= h <= 8192 and 4 <= w <= 8192):
        raise InvalidArgument(f"shape: expected 4 to 8192 pixels a side, found {h} x {w}")
    out = TwinImage((int(h), int(w)))
    maps = ffi.new("rs_py_twin_maps *")
    for name, kind in (("amplitude", "float"), ("phase", "float"), ("resonance", "float"),
                       ("q", "float"), ("height", "float"), ("wall", "uint8_t"),
                       ("domain", "uint8_t"), ("kind", "uint8_t")):
        setattr(maps, name, r.pointer(kind, getattr(out, name)))
    array, count, kept = r.settings(options)
    err = r.new_error()
    r.check(r.lib().rs_py_twin(int(h), int(w), pixel_size or 0.0, seed, film.encode(), random, harsh,
                               array, count, maps, err), err)
    del kept
    out.wall = out.wall.view(np.bool_)  # type: ignore[attr-defined]
    out.pixel_size = maps.pixel
    return out
