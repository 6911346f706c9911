#!/usr/bin/env python3
"""Makes skeletons.txt: small masks and their scikit-image skeletons, as text.

    python3 tests/data/skeletons.py > tests/data/skeletons.txt

Needs numpy and scikit-image (0.19.3 made the committed file). Each block is a line
"NAME HEIGHT WIDTH" and HEIGHT lines of WIDTH characters: '.' background, '+' removed by thinning,
'#' skeleton.
"""
import numpy as np
import skimage
from skimage.morphology import skeletonize


def bar(height, width, half, *segments):
    """Pixels within `half` of any of the segments (x0, y0, x1, y1)."""
    y, x = np.mgrid[:height, :width].astype(float)
    mask = np.zeros((height, width), bool)
    for x0, y0, x1, y1 in segments:
        length2 = (x1 - x0) ** 2 + (y1 - y0) ** 2
        t = np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length2, 0, 1)
        mask |= np.hypot(x - x0 - t * (x1 - x0), y - y0 - t * (y1 - y0)) <= half
    return mask


def ring(height, width, radius, half):
    y, x = np.mgrid[:height, :width].astype(float)
    return np.abs(np.hypot(x - (width - 1) / 2, y - (height - 1) / 2) - radius) <= half


def noise(height, width, density, seed):
    return np.random.default_rng(seed).random((height, width)) < density


CASES = {
    "one_pixel": np.ones((1, 1), bool),
    "square_2x2": np.ones((2, 2), bool),
    "square_3x3": np.ones((3, 3), bool),
    "bar_3x10": np.ones((3, 10), bool),
    "row_1x70": np.ones((1, 70), bool),
    "column_70x1": np.ones((70, 1), bool),
    "full_17x66": np.ones((17, 66), bool),
    "cross": bar(31, 40, 2.2, (2, 15, 37, 15), (20, 2, 20, 28)),
    "x": bar(35, 64, 2.4, (3, 3, 60, 31), (3, 31, 60, 3)),
    "t": bar(25, 65, 1.6, (0, 4, 64, 4), (32, 4, 32, 24)),
    "needle": bar(23, 90, 1.2, (4, 11, 45, 5), (45, 5, 85, 11), (4, 11, 45, 17), (45, 17, 85, 11)),
    "ring": ring(33, 35, 11.5, 2.0),
    "stripes": bar(40, 67, 1.5, *[(-5, y, 72, y + 11) for y in range(-10, 40, 9)]),
    "noise_10": noise(20, 67, 0.1, 1),
    "noise_50": noise(33, 65, 0.5, 2),
    "noise_80": noise(41, 129, 0.8, 3),
    "noise_95": noise(30, 64, 0.95, 4),
}


def main():
    print(f"# scikit-image {skimage.__version__}; made by skeletons.py")
    for name, mask in CASES.items():
        skeleton = skeletonize(mask)
        print(name, *mask.shape)
        for m, s in zip(mask, skeleton):
            print("".join("#" if b else "+" if a else "." for a, b in zip(m, s)))


main()
