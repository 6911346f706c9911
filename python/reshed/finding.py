"""From a map of wall probability to walls, and to the points to measure on them: the recipe of
reshed-walls and of a scan (src/imgproc/walls/find.h)."""

from __future__ import annotations

from typing import Any, Optional, Tuple

import numpy as np

from . import _native as n
from . import _rooms as r
from .errors import InvalidArgument
from .show import inline, pyplot, table

ffi = r.ffi
KINDS = ("ferroelastic", "180", "mixed")
ENDS = ("free", "border", "junction", "corner", "closed")
_WORDS = {"order": {"route": 0, "author": 1, "raster": 2},
          "thinning": {"keep": 0, "skimage": 1}}


class Walls:
    """Walls and points of one map.

    Attributes
    ----------
    walls : structured array [walls], longest first
        length, chord, width (m, or pixels where the pixel size is unknown), orientation (rad in
        [0, pi)), probability, variance, family, place, pair, kind, end, first, count.
    points : structured array [points], in the order in which to measure
        row, col, kind (0 on a wall, controls: 1 a domain, 2 c domain, 3 180-degree wall), wall,
        along, target.
    mask, skeleton : bool [H,W]
    wall_at : int32 [H,W]
        The wall of a skeleton pixel, else -1.
    length : float
        Of all walls.
    threshold : float
    families, pairs, junctions : int
    """

    def __init__(self, handle: Any, shape: Tuple[int, int], map_: np.ndarray):
        v = ffi.new("rs_py_walls_view *")
        r.lib().rs_py_walls_get(handle, v)
        self.walls = r.view(v.wall, (v.walls,), r.dtype("rs_py_wall"), handle)
        self.points = r.view(v.point, (v.points,), r.dtype("rs_py_point"), handle)
        self._pixels = r.view(v.pixel, (v.pixels, 2), np.int32, handle)
        self.skeleton = r.view(v.skeleton, shape, np.uint8, handle).view(np.bool_)
        self.mask: Optional[np.ndarray] = None
        if v.mask != ffi.NULL:
            self.mask = r.view(v.mask, shape, np.uint8, handle).view(np.bool_)
        self.wall_at = r.view(v.wall_at, shape, np.int32, handle)
        self.length, self.threshold = v.length, v.threshold
        self.families, self.pairs, self.junctions = v.families, v.pairs, v.junctions
        self._map = map_

    def pixels(self, wall: int) -> np.ndarray:
        """[count,2]: row and column of a wall's pixels, in order along it."""
        w = self.walls[wall]
        return self._pixels[w["first"]:w["first"] + w["count"]]

    def __len__(self) -> int:
        return len(self.walls)

    def plot(self, ax: Any = None) -> Any:
        """The map with its walls, and the points in the order of the route."""
        plt = pyplot()
        if ax is None:
            ax = plt.subplots()[1]
        ax.imshow(self._map, cmap="gray")
        for k in range(len(self)):
            at = self.pixels(k)
            ax.plot(at[:, 1], at[:, 0], lw=1)
        ax.plot(self.points["col"], self.points["row"], ".-", color="white", lw=0.5, ms=4)
        ax.set_axis_off()
        return ax

    def _rows(self) -> "list[tuple[str, Any]]":
        return [("walls", len(self)), ("length", f"{self.length:.4g}"),
                ("families", self.families), ("pairs", self.pairs),
                ("junctions", self.junctions), ("points", len(self.points))]

    def __repr__(self) -> str:
        return "<reshed.Walls: " + ", ".join(f"{k} {v}" for k, v in self._rows()) + ">"

    def _repr_html_(self) -> str:
        return (inline([("image", self._map), ("walls", self.wall_at >= 0)])
                + table("reshed.Walls", self._rows()))


def walls(mean: Any, *, variance: Any = None, amplitude: Any = None, phase: Any = None,
          skeleton: Any = None, pixel_size: Any = None, start: Any = None, **options: Any) -> Walls:
    """Finds walls in a map of wall probability, and points to measure on them.

    Parameters
    ----------
    mean : array [H,W], or something with ``wall`` and ``wall_variance`` (a Prediction)
    variance, amplitude, phase : array [H,W], optional
        phase in rad: tells ferroelastic walls from 180-degree ones.
    skeleton : array [H,W], optional
        The lines, where they are known.
    pixel_size : float or (dy, dx), optional
        m; without it all lengths are in pixels.
    start : (row, col), optional
        The route begins near it.
    **options
        By the names of a scan, lengths in pixels: threshold=0.5, every=8, min_wall=12, margin=4,
        min_distance, max_points, order="route" ("author", "raster"), thinning="keep" ("skimage"),
        on_180, control_a, control_c, control_180, control_distance.
    """
    if hasattr(mean, "wall") and hasattr(mean, "wall_variance"):
        variance = mean.wall_variance if variance is None else variance
        mean = mean.wall
    data = r.floats_of(mean, "mean")
    shape = data.shape
    maps = {name: None if given is None else r.floats_of(given, name, shape) for name, given in
            (("variance", variance), ("amplitude", amplitude), ("phase", phase))}
    lines = None if skeleton is None else r.bytes_of(skeleton, "skeleton", shape)
    near = None if start is None else r.doubles_of(start, "start", (2,))
    i = ffi.new("rs_py_walls_input *")
    i.height, i.width = shape
    i.dx = i.dy = 1.0
    if pixel_size is not None:
        i.dy, i.dx = (pixel_size, pixel_size) if np.ndim(pixel_size) == 0 else pixel_size
    i.map = r.pointer("float", data)
    for name, given in maps.items():
        setattr(i, name, r.pointer("float", given))
    i.skeleton = r.pointer("uint8_t", lines)
    i.start = r.pointer("double", near)
    array, count, kept = r.settings(options, _WORDS)
    out, err = ffi.new("rs_py_walls **"), r.new_error()
    r.check(r.lib().rs_py_walls_find(i, array, count, out, err), err)
    del kept
    return Walls(r.made(out, r.lib().rs_py_walls_free), shape, data)


def select_points(mean: Any, **options: Any) -> np.ndarray:
    """The points of `walls`, as int32 [n,2]: row and column in the order in which to measure."""
    points = walls(mean, **options).points
    return np.stack([points["row"], points["col"]], axis=1)


def route(points: Any, start: Any = None) -> Tuple[np.ndarray, float]:
    """A short way through all points.

    Parameters
    ----------
    points : array [n,2]
        In any unit, the same on both axes.
    start : array [2], optional
        The way begins at the point nearest to it.

    Returns
    -------
    order : int32 [n]
    length : float
        Of the way, in that unit.
    """
    at = r.doubles_of(points, "points")
    if at.ndim != 2 or at.shape[1] != 2:
        raise InvalidArgument(f"points: expected [n,2], found {list(at.shape)}")
    near = None if start is None else r.doubles_of(start, "start", (2,))
    order = np.empty(len(at), np.int32)
    length, err = ffi.new("double *"), r.new_error()
    r.check(r.lib().rs_py_route(r.pointer("double", at), len(at), r.pointer("double", near),
                                r.pointer("int32_t", order), length, err), err)
    return order, length[0]
