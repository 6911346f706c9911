"""An ensemble on whole images: gaps filled, brought to square pixels of the trained size and to
[0, 1], run, judged. The work is reshed_frame_run's of include/reshed.h."""

from __future__ import annotations

import os
import threading
import warnings
from typing import TYPE_CHECKING, Any, Dict, Iterator, NamedTuple, Optional, Tuple, Union

import numpy as np

from . import _native as n
from .errors import InvalidArgument, OutOfDistribution
from .show import PredictionShow

if TYPE_CHECKING:
    from .stream import Stream

ffi, lib = n.ffi, n.lib

Norm = Union[str, Tuple[float, float]]
ALGOS = {"auto": lib.RESHED_ALGO_AUTO, "winograd": lib.RESHED_ALGO_WINOGRAD,
         "direct": lib.RESHED_ALGO_DIRECT, "gemm": lib.RESHED_ALGO_GEMM}
PRECISIONS = {"fp32": lib.RESHED_FP32, "bf16": lib.RESHED_BF16}
_FRAME_NORMS = {"min_max": lib.RESHED_FRAME_MIN_MAX, "robust": lib.RESHED_FRAME_ROBUST}


def word(name: str, value: Any, words: Dict[str, int]) -> int:
    """The C value of an option that is given by a word."""
    if value not in words:
        raise InvalidArgument(f"{name}: expected {', '.join(words)}, found {value!r}")
    return words[value]


def shipped_weights() -> Dict[str, str]:
    """The ensembles that come with the package: {name: path}."""
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "weights")
    return {f[:-3]: os.path.join(folder, f) for f in sorted(os.listdir(folder))
            if f.endswith(".h5")}


class Info(NamedTuple):
    """What is known about an ensemble."""

    members: int
    classes: int
    filters: int
    receptive_radius: int  #: pixels
    pixel_size_min: float  #: m, 0 when unknown
    pixel_size_max: float  #: m, 0 when unknown
    network: str  #: "ResHedNet", "Unet", "dilnet" or "SegResNet"
    unit: int  #: sides of images must be multiples of it


class Prediction(PredictionShow):
    """Maps of one image [H,W], or of a stack [n,H,W]. Unpacks as ``mean, variance``.

    Attributes
    ----------
    mean, variance : ndarray, float32, [H,W] or [H,W,C], with a leading n for a stack
        Over the members, of the probabilities; population variance.
    wall, wall_variance : ndarray, float32, [H,W] or [n,H,W]
        Probability of a wall. With several classes one is the background, the first unless `predict`
        was told another, and all else is wall.
    ood_score : float or ndarray [n]
        About 1 for frames like those of training, more for others; NaN when none can be given.
    alarm : bool or ndarray [n]
        The score is above the weights' threshold, or the frame has no contrast.
    range : (float, float) or ndarray [n,2]
        What became 0 and 1 for the network, in the image's unit.
    filled : int or ndarray [n]
        Pixels that were not finite.
    seconds : float or ndarray [n]
        That normalisation and the networks took.
    """

    def __init__(self, image: np.ndarray, mean: np.ndarray, variance: np.ndarray, wall: np.ndarray,
                 wall_variance: np.ndarray, **scalars: Any):
        self.image, self.mean, self.variance = image, mean, variance
        self.wall, self.wall_variance = wall, wall_variance
        self.ood_score = scalars["ood_score"]
        self.ood_threshold = scalars["ood_threshold"]
        self.alarm = scalars["alarm"]
        self.range = scalars["range"]
        self.filled = scalars["filled"]
        self.seconds = scalars["seconds"]
        self.resampled = scalars["resampled"]

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter((self.mean, self.variance))

    def __len__(self) -> int:
        return 2

    def __getitem__(self, i: int) -> np.ndarray:
        return (self.mean, self.variance)[i]


def _frame_options(threads: int, algo: str, precision: str, norm: Norm,
                   resample: Union[str, float], threshold: float, pad: bool) -> Any:
    o = ffi.new("reshed_frame_options *")
    lib.reshed_frame_defaults(o)
    assert o.size == ffi.sizeof("reshed_frame_options")
    o.threads = threads
    o.algo = word("algo", algo, ALGOS)
    o.precision = word("precision", precision, PRECISIONS)
    if isinstance(norm, str):
        o.norm = word("norm", norm, _FRAME_NORMS)
    else:
        o.norm = lib.RESHED_FRAME_FIXED
        o.lo, o.hi = norm
    if isinstance(resample, str):
        o.resample = word("resample", resample, {"auto": lib.RESHED_RESAMPLE_AUTO,
                                                 "off": lib.RESHED_RESAMPLE_OFF})
    else:
        o.resample = lib.RESHED_RESAMPLE_PIXEL_SIZE
        o.pixel_size = resample
    o.threshold, o.pad = threshold, pad
    return o


def _pixel_sizes(size: Any) -> Tuple[float, float]:
    if size is None:
        return 0.0, 0.0
    if np.ndim(size) == 0:
        return float(size), float(size)
    dy, dx = size
    return float(dx), float(dy)


def _borrow(pointer: Any, shape: Tuple[int, ...]) -> np.ndarray:
    """A copy of a map that belongs to a frame, and changes with its next run."""
    return n.view(pointer, shape, np.float32, None).copy()


class Plan:
    """The networks alone, for images of one size that are in the network's units already.

    Made by `Model.plan`. ``run`` writes into arrays of the caller without a copy.
    """

    def __init__(self, model: "Model", height: int, width: int, threads: int = 0,
                 algo: str = "auto", precision: str = "fp32"):
        o = ffi.new("reshed_options *")
        lib.reshed_options_defaults(o)
        assert o.size == ffi.sizeof("reshed_options")
        o.threads = threads
        o.algo = word("algo", algo, ALGOS)
        o.precision = word("precision", precision, PRECISIONS)
        out, err = ffi.new("reshed_plan **"), n.new_error()
        self._ensemble = model._open()  # which must outlive the plan
        n.check(lib.reshed_plan_create(self._ensemble, height, width, o, out, err), err, model.path)
        self._handle = ffi.gc(out[0], lib.reshed_plan_free)
        self._model = model
        self._lock = threading.Lock()
        self._height, self._width = height, width
        lib.reshed_plan_set_cancel(self._handle, n.cancel, ffi.NULL)

    @property
    def shape(self) -> Tuple[int, int]:
        """Height and width."""
        return self._height, self._width

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the plan holds."""
        return lib.reshed_plan_bytes(self._handle)

    def map_shape(self) -> Tuple[int, ...]:
        """[H,W], or [H,W,C] with several classes."""
        c = self._model.info.classes
        return (self._height, self._width) + ((c,) if c > 1 else ())

    def resize(self, height: int, width: int) -> None:
        """Makes the plan fit another size; on failure it is as before."""
        err = n.new_error()
        with self._lock:
            self._resize(height, width, err)

    def _resize(self, height: int, width: int, err: Any) -> None:
        if (height, width) == (self._height, self._width):
            return
        n.check(lib.reshed_plan_resize(self._handle, height, width, err), err)
        self._height, self._width = height, width

    def run(self, image: Any, mean: Optional[np.ndarray] = None,
            variance: Optional[np.ndarray] = None, members: Optional[np.ndarray] = None
            ) -> Tuple[np.ndarray, np.ndarray]:
        """Runs every member on an image and takes mean and variance over them.

        Parameters
        ----------
        image : array [H,W]
            In [0, 1], finite; float32 and contiguous is used as it is.
        mean, variance : ndarray, float32, contiguous, optional
            [H,W] ([H,W,C] with several classes): where to write.
        members : ndarray, float32, contiguous, optional
            [N,H,W] or [N,H,W,C]: gets each member's probabilities.

        Returns
        -------
        mean, variance
        """
        image = n.as_floats(image)
        err = n.new_error()
        with self._lock:
            if image.shape != self.shape:
                raise InvalidArgument(f"image: expected {self.shape}, found {image.shape}")
            shape = self.map_shape()
            mean = _output("mean", mean, shape)
            variance = _output("variance", variance, shape)
            each = ffi.NULL
            if members is not None:
                _output("members", members, (self._model.info.members,) + shape)
                each = n.floats(members)
            n.check(lib.reshed_plan_run(self._handle, n.floats(image), n.floats(mean),
                                        n.floats(variance), each, err), err)
        return mean, variance


def _output(name: str, array: Optional[np.ndarray], shape: Tuple[int, ...]) -> np.ndarray:
    if array is None:
        return np.empty(shape, np.float32)
    if array.shape != shape or array.dtype != np.float32 or not array.flags.c_contiguous \
            or not array.flags.writeable:
        raise InvalidArgument(f"{name}: expected writeable contiguous float32 {shape}, found "
                              f"{array.dtype} {array.shape}")
    return array


class Model:
    """An ensemble of trained networks.

    Parameters
    ----------
    path : path, optional
        A reshed weights file (HDF5), or AtomAI's ``*_metadict.tar``. None: the shipped ensemble.
    threads : int
        0: all processors. Results do not depend on it.
    algo : "auto", "winograd", "direct" or "gemm"
    precision : "fp32" or "bf16"

    Any number of threads may share a model; calls of `predict` wait for each other.
    """

    def __init__(self, path: "Optional[str | os.PathLike[str]]" = None, *, threads: int = 0,
                 algo: str = "auto", precision: str = "fp32"):
        if path is None:
            path = shipped_weights()["reshednet16x10"]
        self.path, name = n.encode(path)
        self.threads, self.algo, self.precision = threads, algo, precision
        out, err = ffi.new("reshed_ensemble **"), n.new_error()
        with n.files():
            n.check(lib.reshed_ensemble_load(name, out, err), err, self.path)
        self._handle = ffi.gc(out[0], lib.reshed_ensemble_free)
        info = ffi.new("reshed_ensemble_info *")
        lib.reshed_ensemble_get_info(self._handle, info)
        self.info = Info(info.members, info.classes, info.filters, info.receptive_radius,
                         info.pixel_size_min, info.pixel_size_max,
                         ffi.string(lib.reshed_ensemble_network(self._handle)).decode(),
                         lib.reshed_ensemble_unit(self._handle))
        self._lock = threading.Lock()
        self._frames: Dict[Any, Any] = {}

    def __enter__(self) -> "Model":
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()

    def close(self) -> None:
        """Gives the memory back, as soon as no stream or plan needs it any more."""
        with self._lock:
            self._frames.clear()
            self._handle = None

    def _open(self) -> Any:
        if self._handle is None:
            raise ValueError(f"{self.path}: the model is closed")
        return self._handle

    def _frame(self, key: Tuple[Any, ...]) -> Any:
        frame = self._frames.get(key)
        if frame is None:
            out, err = ffi.new("reshed_frame **"), n.new_error()
            n.check(lib.reshed_frame_create(self._open(), _frame_options(*key), out, err), err,
                    self.path)
            frame = ffi.gc(out[0], lib.reshed_frame_free)
            lib.reshed_frame_set_cancel(frame, n.cancel, ffi.NULL)
            self._frames.clear()  # packed weights are large: those of one set of options are kept
            self._frames[key] = frame
        return frame

    def predict(self, images: Any, *, pixel_size: Any = None, norm: Norm = "min_max",
                resample: Union[str, float] = "auto", threshold: float = 0.5, pad: bool = False,
                background: int = 0, threads: Optional[int] = None, algo: Optional[str] = None,
                precision: Optional[str] = None, warn: bool = True) -> Prediction:
        """Predicts wall probability and its variance.

        Parameters
        ----------
        images : array [H,W] or [n,H,W]
            In any unit, row 0 at the +y edge; NaN and infinities are gaps, which are filled.
        pixel_size : float or (dy, dx), optional
            m. With it the image is brought into the range of pixel sizes seen in training.
        norm : "min_max", "robust" or (lo, hi)
            What becomes 0 and 1, for each image: least and greatest value; percentiles 0.5 and
            99.5; two numbers in the image's unit.
        resample : "auto", "off", or a pixel size in m
        threshold : float
            A pixel of larger wall probability counts as wall.
        pad : bool
            Sides that the network cannot take (``info.unit``) grow by zeros at the bottom and on the
            right, before the normalisation; the maps are those of the image. Else they are refused.
        background : int
            Of several classes the one that is no wall: the first, as everywhere in reshed, unless the
            network was trained otherwise; -1: the last, as AtomAI's examples have it.
        warn : bool
            Warns (OutOfDistribution) of images that are unlike those of training.

        Returns
        -------
        Prediction
            Unpacks as ``mean, variance``, float32, [H,W] or [n,H,W], with a last axis for several
            classes.
        """
        stack = n.as_floats(images)
        single = stack.ndim == 2
        if stack.ndim not in (2, 3) or 0 in stack.shape:
            raise InvalidArgument(f"images: expected [H,W] or [n,H,W], found {stack.shape}")
        if single:
            stack = stack[np.newaxis]
        classes = self.info.classes
        if not -classes <= background < classes:
            raise InvalidArgument(f"background: expected one of {classes} classes, found {background}")
        dx, dy = _pixel_sizes(pixel_size)
        key = (self.threads if threads is None else threads, algo or self.algo,
               precision or self.precision, norm if isinstance(norm, str) else tuple(norm),
               resample, threshold, bool(pad))
        with self._lock:
            frame = self._frame(key)
            views = [self._run(frame, image, dx, dy, background) for image in stack]
        alarms = [i for i, v in enumerate(views) if v["alarm"]]
        if warn and alarms:
            which = "the image is" if single else f"images {alarms} are"
            warnings.warn(f"{which} unlike those of training; the maps are not to be trusted",
                          OutOfDistribution, stacklevel=2)
        if single:
            return Prediction(**views[0])
        return Prediction(**{k: np.stack([v[k] for v in views]) if k != "resampled"
                             else [v[k] for v in views] for k in views[0]})

    def _run(self, frame: Any, image: np.ndarray, dx: float, dy: float, background: int
             ) -> Dict[str, Any]:
        err, v = n.new_error(), ffi.new("reshed_frame_view *")
        h, w = image.shape
        n.check(lib.reshed_frame_run(frame, n.floats(image), h, w, dx, dy, err), err)
        lib.reshed_frame_get(frame, v)
        shape = (h, w) + ((v.classes,) if v.classes > 1 else ())
        mean, variance = _borrow(v.mean, shape), _borrow(v.variance, shape)
        wall, wall_variance = _borrow(v.wall, (h, w)), _borrow(v.wall_variance, (h, w))
        if v.classes > 1 and background % v.classes:  # probabilities of a pixel add up to 1
            wall, wall_variance = 1 - mean[..., background], variance[..., background].copy()
        return {"image": _borrow(v.image, (h, w)), "mean": mean, "variance": variance, "wall": wall,
                "wall_variance": wall_variance,
                "ood_score": v.ood_score, "ood_threshold": v.ood_threshold,
                "alarm": bool(v.alarm), "range": (v.lo, v.hi), "filled": v.filled,
                "seconds": v.seconds, "resampled": ffi.string(v.resampled).decode()}

    def plan(self, height: int, width: int, *, threads: Optional[int] = None,
             algo: Optional[str] = None, precision: Optional[str] = None) -> Plan:
        """The networks alone, for images of one size in [0, 1]: see `Plan`."""
        return Plan(self, height, width, self.threads if threads is None else threads,
                    algo or self.algo, precision or self.precision)

    def stream(self, height: int, width: int, **options: Any) -> "Stream":
        """Inference while an image is being scanned: see `Stream` for the options."""
        from .stream import Stream

        self._open()
        options.setdefault("threads", self.threads)
        return Stream(self, height, width, **options)

    def __repr__(self) -> str:
        i = self.info
        return (f"<reshed.Model {os.path.basename(self.path)}: {i.network}, {i.members} members, {i.classes} "
                f"class{'es' if i.classes > 1 else ''}, receptive radius {i.receptive_radius}>")


def load(path: "Optional[str | os.PathLike[str]]" = None, **options: Any) -> Model:
    """Loads an ensemble: a reshed weights file, AtomAI's ``*_metadict.tar``, or the shipped one.

    >>> mean, variance = reshed.load("walls_metadict.tar").predict(image)
    """
    return Model(path, **options)
