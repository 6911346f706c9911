"""Images: from the instruments' files, on another grid, thinned, as spots."""

from __future__ import annotations

import os
from typing import Any, Optional, Tuple

import numpy as np

from . import _native as n
from . import _rooms as r
from .errors import InvalidArgument

ffi = r.ffi


class Image:
    """One channel of an image file.

    Attributes
    ----------
    data : ndarray, float32, [H,W]
        Row 0 at the +y edge; gaps are NaN.
    dx, dy : float
        Pixel size in m along a row and along a column; 0 when unknown.
    x0, y0, angle : float
        Centre of the frame in m, and by how many degrees it is turned.
    unit, channel, note : str
    """

    def __init__(self, path: "str | os.PathLike[str]", channel: Optional[str] = None,
                 frame: Optional[int] = None):
        self.path, name = n.encode(path)
        out, err, v = ffi.new("rs_py_image **"), r.new_error(), ffi.new("rs_py_image_view *")
        with r.files():
            r.check(r.lib().rs_py_image_open(
                name, ffi.NULL if channel is None else channel.encode(),
                -1 if frame is None else frame, out, err), err, self.path)
        handle = r.made(out, r.lib().rs_py_image_free)
        r.lib().rs_py_image_get(handle, v)
        self.data = r.view(v.data, (v.height, v.width), np.float32, handle).copy()
        self.dx, self.dy, self.x0, self.y0, self.angle = v.dx, v.dy, v.x0, v.y0, v.angle
        self.unit, self.channel, self.note = (
            ffi.string(t).decode("utf-8", "replace") for t in (v.unit, v.channel, v.note))

    @property
    def pixel_size(self) -> Optional[Tuple[float, float]]:
        """(dy, dx) in m as `Model.predict` takes it, None when unknown."""
        return (self.dy, self.dx) if self.dx > 0 and self.dy > 0 else None

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.data if dtype is None else self.data.astype(dtype)

    def __repr__(self) -> str:
        h, w = self.data.shape
        size = f", {self.dx * 1e9:.3g} nm a pixel" if self.dx else ""
        return f"<reshed.Image {os.path.basename(self.path)}: {self.channel} {h} x {w}{size}>"


def read_image(path: "str | os.PathLike[str]", channel: Optional[str] = None,
               frame: Optional[int] = None) -> Image:
    """Reads one channel of an image file of any kind that reshed knows (docs/formats.md); the
    amplitude unless another is named."""
    return Image(path, channel, frame)


def resize(image: Any, shape: Tuple[int, int]) -> np.ndarray:
    """The image [H,W] on another grid over the same frame: the mean over a pixel's area where an axis
    shrinks, Catmull-Rom interpolation where it grows. Finite values only."""
    data = r.floats_of(image, "image")
    if len(shape) != 2 or min(shape) < 1:
        raise InvalidArgument(f"shape: expected (height, width), found {shape}")
    out, err = np.empty(tuple(int(s) for s in shape), np.float32), r.new_error()
    r.check(r.lib().rs_py_resize(n.floats(data, ffi), *data.shape, n.floats(out, ffi), *out.shape,
                                 err), err)
    return out


def skeletonize(mask: Any, method: str = "keep") -> np.ndarray:
    """Thins a mask [H,W] to lines one pixel wide.

    method : "keep" or "skimage"
        Every line is kept; or the pixels of scikit-image's ``skeletonize``, which loses diagonal
        lines of an even width.

    Returns bool [H,W].
    """
    if method not in ("keep", "skimage"):
        raise InvalidArgument(f"method: expected keep or skimage, found {method!r}")
    data = r.bytes_of(mask, "mask")
    out, err = np.empty(data.shape, np.uint8), r.new_error()
    r.check(r.lib().rs_py_skeletonize(r.pointer("uint8_t", data), *data.shape, method == "keep",
                                      r.pointer("uint8_t", out), err), err)
    return out.view(np.bool_)


def locate(probabilities: Any, threshold: float = 0.5, dist_edge: float = 5,
           background: int = -1) -> np.ndarray:
    """Centres of mass of the regions above a threshold, as AtomAI's ``Locator`` finds them.

    probabilities : array [H,W] or [H,W,C]
        Of several classes the background is left out.
    dist_edge : float
        Pixels from the frame's edge within which centres are left out.
    background : int
        Of several classes; the last as in AtomAI's ``Locator``. `Model.predict` takes the first, as
        everything else in reshed does: give both the same.

    Returns float64 [k,3]: row, column, class.
    """
    data = n.as_floats(probabilities)
    if data.ndim == 2:
        data = data[..., np.newaxis]
    if data.ndim != 3:
        raise InvalidArgument(f"probabilities: expected [H,W] or [H,W,C], found {data.shape}")
    classes = data.shape[2]
    if not -classes <= background < classes:
        raise InvalidArgument(f"background: expected one of {classes} classes, found {background}")
    order = np.array([c for c in range(classes) if c != background % classes] + [background % classes])
    if order[-1] != classes - 1:
        data = np.ascontiguousarray(data[..., order])
    found, err = ffi.new("int *"), r.new_error()
    room = 256
    while True:
        at = np.empty((room, 3))
        r.check(r.lib().rs_py_locate(n.floats(data, ffi), *data.shape, threshold, dist_edge,
                                     r.pointer("double", at), room, found, err), err)
        if found[0] <= room:
            at = at[:found[0]].copy()
            at[:, 2] = order[at[:, 2].astype(int)]
            return at
        room = found[0]
