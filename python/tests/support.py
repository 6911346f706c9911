"""What the tests share."""

import os

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.path.join(ROOT, "tests", "data")
QUICK = bool(os.environ.get("RESHED_QUICK"))


def data(name):
    return np.load(os.path.join(DATA, name))


def film(height, width, seed=1):
    """Stripes and noise: something to predict."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    stripes = (np.sin((x + 0.7 * y) / 4.0 + seed) > 0.2).astype(np.float32)
    return (stripes + 0.1 * rng.standard_normal((height, width))).astype(np.float32)


def rss():
    """Bytes of this process in memory."""
    with open("/proc/self/statm", encoding="ascii") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
