"""Ensemble ResHedNet inference for scanning probe microscopy, in notebooks.

>>> import reshed
>>> mean, variance = reshed.load().predict(image)

docs/python.md has more. Images are [H,W] with row 0 at the +y edge; lengths in metres.
"""

from . import driver, models, predictors
from ._native import __version__
from .driver import End, run
from .errors import (Cancelled, CorruptFile, Error, FileError, InstrumentError, InstrumentTimeout,
                     InternalError, InvalidArgument, OutOfDistribution, OutOfMemory, Unsupported)
from .finding import Walls, route, select_points, walls
from .image import Image, locate, read_image, resize, skeletonize
from .model import Info, Model, Plan, Prediction, load, shipped_weights
from .predictors import EnsemblePredictor, SegPredictor, Segmentor, load_ensemble, load_model
from .session import Session
from .simulate import TwinImage, twin
from .spectra import Loops, loop_flags, loops, metrics, sho_fit, sho_flags
from .stream import FINAL, PROVISIONAL, UNSCANNED, Stream, StreamResult

__all__ = [
    "Cancelled", "CorruptFile", "End", "EnsemblePredictor", "Error", "FINAL", "FileError",
    "Image", "Info", "InstrumentError", "InstrumentTimeout", "InternalError", "InvalidArgument", "Loops", "Model",
    "OutOfDistribution", "OutOfMemory", "PROVISIONAL", "Plan", "Prediction", "SegPredictor",
    "Segmentor", "Session", "Stream", "StreamResult", "TwinImage", "UNSCANNED", "Unsupported",
    "Walls", "driver", "load", "load_ensemble", "load_model", "locate", "loop_flags", "loops",
    "metrics", "models", "predictors", "read_image", "resize", "route", "run", "select_points",
    "shipped_weights", "sho_fit", "sho_flags", "skeletonize", "twin", "walls",
]
