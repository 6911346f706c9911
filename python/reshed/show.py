"""How results look in a notebook: tables in HTML, plots where matplotlib is there."""

from __future__ import annotations

import base64
import html
import io
from typing import Any, Sequence, Tuple

import numpy as np


def pyplot() -> Any:
    """matplotlib.pyplot, or an error that says what is missing."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as e:
        raise ImportError("plots need matplotlib (Debian: python3-matplotlib)") from e
    return plt


def table(title: str, rows: Sequence[Tuple[str, Any]]) -> str:
    """A small table in HTML."""
    cells = "".join(f"<tr><td>{html.escape(k)}</td><td>{html.escape(str(v))}</td></tr>"
                    for k, v in rows)
    return f"<table><caption>{html.escape(title)}</caption>{cells}</table>"


def pictures(named: Sequence[Tuple[str, np.ndarray]], axes: Any = None) -> Any:
    """Draws maps side by side; returns the axes."""
    plt = pyplot()
    if axes is None:
        _, axes = plt.subplots(1, len(named), figsize=(3.4 * len(named), 3.2), squeeze=False)
        axes = axes[0]
    for ax, (title, data) in zip(np.atleast_1d(axes), named):
        shown = ax.imshow(data, cmap="gray" if title == "image" else "magma")
        ax.set_title(title)
        ax.set_axis_off()
        ax.figure.colorbar(shown, ax=ax, fraction=0.046)
    return axes


def inline(named: Sequence[Tuple[str, np.ndarray]]) -> str:
    """The same as an <img>, or nothing without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return ""
    figure = Figure(figsize=(3.4 * len(named), 3.2))
    FigureCanvasAgg(figure)
    axes = [figure.add_subplot(1, len(named), i + 1) for i in range(len(named))]
    for ax, (title, data) in zip(axes, named):
        ax.imshow(data, cmap="gray" if title == "image" else "magma")
        ax.set_title(title)
        ax.set_axis_off()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=80, bbox_inches="tight")
    return f'<img src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'


class PredictionShow:
    """What a Prediction shows of itself."""

    def _maps(self) -> "list[tuple[str, np.ndarray]]":
        first = self.wall.ndim == 3
        return [(name, a[0] if first else a) for name, a in
                (("image", self.image), ("wall probability", self.wall),
                 ("variance", self.wall_variance))]

    def plot(self, axes: Any = None) -> Any:
        """Image, wall probability and variance side by side (of a stack: the first)."""
        return pictures(self._maps(), axes)

    def _rows(self) -> "list[tuple[str, Any]]":
        return [("shape", " x ".join(str(x) for x in self.wall.shape)),
                ("wall (> 0.5)", f"{100 * float((self.wall > 0.5).mean()):.1f} %"),
                ("mean variance", f"{float(self.wall_variance.mean()):.3g}"),
                ("out-of-distribution score", np.round(self.ood_score, 2)),
                ("alarm", self.alarm), ("gaps filled", self.filled)]

    def __repr__(self) -> str:
        return "<reshed.Prediction: " + ", ".join(f"{k} {v}" for k, v in self._rows()) + ">"

    def _repr_html_(self) -> str:
        return inline(self._maps()) + table("reshed.Prediction", self._rows())


class StreamShow:
    """What a Stream shows of itself."""

    def plot(self, axes: Any = None) -> Any:
        """What the network sees, mean and variance side by side."""
        mean, variance = self.mean, self.variance
        if mean.ndim == 3:
            mean, variance = 1 - mean[..., 0], variance[..., 0]
        return pictures((("image", self.input), ("wall probability", mean),
                         ("variance", variance)), axes)

    def _repr_html_(self) -> str:
        return table("reshed.Stream", [("state", repr(self))])
