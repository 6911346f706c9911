"""AtomAI's predictors, by their arguments, shapes, types and normalisation.

``from reshed import EnsemblePredictor, SegPredictor, load_model, load_ensemble`` in place of
AtomAI's. What differs, on purpose:

- Images of a stack are normalised one by one; ``strict_atomai=True`` normalises over the whole stack
  as AtomAI 0.8.1 does. A constant stack becomes 0, and not NaN.
- ``nb_classes=None`` means the network's own number: probabilities come out, never averaged scores.
- Any number of calls with images of any sizes; ``verbose=0`` works.
- `SegPredictor` pads only what the network cannot take as it is, after the normalisation, and gives
  maps of the image's size; ``strict_atomai=True`` pads as AtomAI does: to a multiple of its factor, before
  the normalisation, and the maps keep that size.
- ``use_gpu``, ``device``, ``num_batches`` and ``verbose`` are accepted and change nothing.
"""

from __future__ import annotations

import os
from typing import Any, Dict, Optional, Sequence, Tuple, Union

import numpy as np

from . import _native as n
from .errors import InvalidArgument, Unsupported
from .model import Model, Plan, load

lib = n.lib
_IGNORED = {"use_gpu", "device", "verbose", "output_shape", "seed", "threads"}


def _model(source: Any, threads: int) -> Model:
    if isinstance(source, Model):
        return source
    if isinstance(source, (str, os.PathLike)):
        return Model(source, threads=threads)
    if isinstance(source, Segmentor):
        return source.model
    raise InvalidArgument("network: expected a path, a reshed.Model or what reshed.load_model and "
                          f"load_ensemble return, found {type(source).__name__}. Networks that "
                          "live in PyTorch: save them with AtomAI's save_model or save_ensemble "
                          "and give the file")


def _stack(data: Any) -> np.ndarray:
    """[n,H,W] float32 of [H,W], [n,H,W], [n,1,H,W] or [n,H,W,1]; no copy where it is that already."""
    array = n.as_floats(data)
    if array.ndim == 2:
        return array[np.newaxis]
    if array.ndim == 3:
        return array
    if array.ndim == 4 and array.shape[1] == 1:
        return array[:, 0]
    if array.ndim == 4 and array.shape[3] == 1:
        return array[..., 0]
    raise InvalidArgument("images: expected (h,w), (n,h,w), (n,1,h,w) or (n,h,w,1), found "
                          f"{array.shape}")


def _normalise(stack: np.ndarray, together: bool) -> np.ndarray:
    """A copy in which least and greatest value are 0 and 1: of each image, or of all."""
    out = np.array(stack, np.float32, order="C")
    for part in (out[np.newaxis] if together else out):
        err = n.new_error()
        n.check(lib.reshed_normalise(n.floats(part), part.size, err), err)
    return out


class _Predictor:
    """A plan that follows the images' size."""

    def __init__(self, source: Any, nb_classes: Optional[int], logits: bool, strict_atomai: bool,
                 kwargs: Dict[str, Any]):
        unknown = set(kwargs) - _IGNORED
        if unknown:
            raise TypeError(f"unexpected arguments: {', '.join(sorted(unknown))}")
        if not logits:
            raise Unsupported("logits=False: AtomAI's segmentation networks end in scores, and "
                              "their probabilities are what a prediction is")
        self.model = _model(source, int(kwargs.get("threads", 0)))
        classes = self.model.info.classes
        if nb_classes is not None and nb_classes != classes:
            raise InvalidArgument(f"nb_classes: expected {classes}, as the network has, found "
                                  f"{nb_classes}")
        self.nb_classes = classes
        self.strict_atomai = strict_atomai
        self._plan: Optional[Plan] = None

    def _forward(self, stack: np.ndarray, each: bool = False
                 ) -> Tuple[np.ndarray, np.ndarray, Optional[np.ndarray]]:
        """mean, variance [n,H,W,C], and each member's [N,n,H,W,C]; stack in the network's units."""
        count, h, w = stack.shape
        c, m = self.nb_classes, self.model.info.members
        if self._plan is None:
            self._plan = self.model.plan(h, w)
        self._plan.resize(h, w)
        shape = self._plan.map_shape()
        mean = np.empty((count,) + shape, np.float32)
        variance = np.empty_like(mean)
        members = np.empty((count, m) + shape, np.float32) if each else None
        for i in range(count):
            self._plan.run(np.ascontiguousarray(stack[i]), mean[i], variance[i],
                           None if members is None else members[i])
        full = (count, h, w, c)
        return (mean.reshape(full), variance.reshape(full), None if members is None else
                np.moveaxis(members.reshape((count, m, h, w, c)), 1, 0))


class EnsemblePredictor(_Predictor):
    """AtomAI's ``EnsemblePredictor``: mean and variance of an ensemble.

    Parameters
    ----------
    skeleton : Model or path
        What `load_ensemble` returns, or the path of a ``*_metadict.tar`` or reshed weights file.
    ensemble : optional
        AtomAI's second argument: what `load_ensemble` returns second. The networks are all in
        either of the two.
    nb_classes : int, optional
        Refused unless it is the network's.
    strict_atomai : bool
        Normalises over the whole stack.
    threads : int
        0: all processors.
    """

    def __init__(self, skeleton: Any, ensemble: Any = None, data_type: str = "image",
                 output_type: str = "image", nb_classes: Optional[int] = None,
                 in_dim: Any = None, out_dim: Any = None, *, logits: bool = True,
                 strict_atomai: bool = False, **kwargs: Any):
        if data_type != "image" or output_type != "image":
            raise Unsupported(f"data_type, output_type: expected image, found {data_type}, "
                              f"{output_type}: segmentation networks only")
        source = ensemble if isinstance(ensemble, (Model, str, os.PathLike)) else skeleton
        super().__init__(source, nb_classes, logits, strict_atomai, kwargs)

    def preprocess_data(self, data: Any, norm: bool = True) -> np.ndarray:
        """The stack [n,H,W] as the network gets it."""
        stack = _stack(data)
        return _normalise(stack, self.strict_atomai) if norm else stack

    def predict(self, data: Any, num_batches: int = 10, format_out: str = "channel_last",
                norm: bool = True) -> Tuple[np.ndarray, np.ndarray]:
        """Mean and population variance over the members.

        Parameters
        ----------
        data : array (h,w), (n,h,w) or (n,1,h,w)
            Finite.
        format_out : "channel_last" or "channel_first"
        norm : bool
            Least and greatest value become 0 and 1; False: the data are in [0, 1] already.

        Returns
        -------
        mean, variance : float64, (n,h,w,classes) or (n,classes,h,w)
        """
        if format_out not in ("channel_last", "channel_first"):
            raise InvalidArgument("format_out: expected channel_last or channel_first, found "
                                  f"{format_out!r}")
        mean, variance, _ = self._forward(self.preprocess_data(data, norm))
        if format_out == "channel_first":
            mean, variance = np.moveaxis(mean, -1, 1), np.moveaxis(variance, -1, 1)
        return mean.astype(np.float64), variance.astype(np.float64)

    def ensemble_forward(self, data: Any, out_shape: Any = None, num_batches: int = 1,
                         norm: bool = False) -> np.ndarray:
        """Each member's probabilities, (members, n, classes, h, w) float32. As in AtomAI the data are
        not normalised unless asked for."""
        members = self._forward(self.preprocess_data(data, norm), each=True)[2]
        assert members is not None
        return np.ascontiguousarray(np.moveaxis(members, -1, 2))


class SegPredictor(_Predictor):
    """AtomAI's ``SegPredictor``: probabilities of one network (of an ensemble: their mean), and
    the centres of what it found.

    Parameters
    ----------
    trained_model : Model, Segmentor or path
    resize : (h, w), optional
        Brings images to this size first.
    thresh : float
        Of `run`.
    downsampling : int, optional
        With strict_atomai: sides are padded to a multiple of it; AtomAI's own factor unless given.
    """

    def __init__(self, trained_model: Any, refine: bool = False,
                 resize: Union[None, int, Sequence[int]] = None, use_gpu: bool = False,
                 logits: bool = True, *, thresh: float = 0.5, d: Optional[int] = None,
                 nb_classes: Optional[int] = None, downsampling: Optional[int] = None,
                 strict_atomai: bool = False, **kwargs: Any):
        if refine:
            raise Unsupported("refine: positions come from the map's centres of mass; Gaussian "
                              "refinement of atoms is not part of reshed")
        super().__init__(trained_model, nb_classes, logits, strict_atomai, kwargs)
        self.resize = (resize, resize) if isinstance(resize, int) else resize
        self.thresh, self.d = thresh, d
        unit = self.model.info.unit
        # AtomAI takes it from the network's levels; a ResHedNet of any size has 4 there.
        self.downsampling = int(downsampling or (unit if unit > 1 else 4))

    def preprocess(self, image_data: Any, norm: bool = True) -> np.ndarray:
        """The stack [n,H,W] as the network gets it."""
        stack = _stack(image_data)
        if self.resize is not None:
            from .image import resize

            stack = np.stack([resize(image, tuple(self.resize)) for image in stack])
        if self.strict_atomai:
            pads = [-side % self.downsampling for side in stack.shape[1:]]
            stack = np.pad(stack, ((0, 0), (0, pads[0]), (0, pads[1])))
        return _normalise(stack, self.strict_atomai) if norm else stack

    def predict(self, image_data: Any, return_image: bool = False,
                num_batches: Optional[int] = None, norm: bool = True) -> Any:
        """Probabilities, (n,h,w,classes) float32; with return_image (images, probabilities), the
        images (n,h,w,1) as the network got them."""
        stack = self.preprocess(image_data, norm)
        h, w = stack.shape[1:]
        unit = self.model.info.unit
        fitting = np.pad(stack, ((0, 0), (0, -h % unit), (0, -w % unit)))
        mean = np.ascontiguousarray(self._forward(fitting)[0][:, :h, :w])
        return (stack[..., np.newaxis], mean) if return_image else mean

    def run(self, image_data: Any, compute_coords: bool = True, num_batches: Optional[int] = None,
            norm: bool = True, thresh: Optional[float] = None) -> Any:
        """Probabilities, and the centres of mass of what lies above the threshold.

        Returns
        -------
        probabilities, {i: array [k,3]}
            Row, column (pixels) and class for image i; the probabilities alone with
            compute_coords=False.
        """
        decoded = self.predict(image_data, norm=norm)
        if not compute_coords:
            return decoded
        from .image import locate

        return decoded, {i: locate(image, self.thresh if thresh is None else thresh)
                         for i, image in enumerate(decoded)}


class Segmentor:
    """What `load_model` returns: AtomAI's ``Segmentor``, for prediction only."""

    def __init__(self, model: Model):
        self.model = model
        self.nb_classes = model.info.classes

    def predict(self, imgdata: Any, refine: bool = False, logits: bool = True,
                resize: Union[None, int, Sequence[int]] = None, compute_coords: bool = True,
                **kwargs: Any) -> Any:
        """As `SegPredictor.run`."""
        options = {k: kwargs.pop(k) for k in ("num_batches", "norm") if k in kwargs}
        predictor = SegPredictor(self.model, refine, resize, logits=logits, **kwargs)
        return predictor.run(imgdata, compute_coords, **options)

    def __repr__(self) -> str:
        return f"<reshed.Segmentor of {self.model!r}>"


def load_model(filepath: "str | os.PathLike[str]", **kwargs: Any) -> Segmentor:
    """AtomAI's ``load_model``."""
    kwargs.pop("map_location", None)
    return Segmentor(load(filepath, **kwargs))


def load_ensemble(filepath: "str | os.PathLike[str]", **kwargs: Any) -> Tuple[Model, Model]:
    """AtomAI's ``load_ensemble``: two values, for the first two arguments of `EnsemblePredictor`."""
    kwargs.pop("map_location", None)
    model = load(filepath, **kwargs)
    return model, model
