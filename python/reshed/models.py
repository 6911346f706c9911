"""AtomAI's ``atomai.models`` as far as prediction goes."""

from .predictors import Segmentor, load_ensemble, load_model

__all__ = ["Segmentor", "load_ensemble", "load_model"]
